/// A kind of thing that may go wrong while a simulation runs, and for how long.
///
/// Hosts are given by their names, as to ``SimulatedWorld/host(_:)``.
public struct PossibleFault: Hashable, Sendable {
  private enum Kind: Hashable {
    case effect(PlannedFault.Effect, ClosedRange<Duration>)
    case clock(String, ClosedRange<Duration>)
  }

  private let kind: Kind

  /// How long faults last unless you say otherwise: a tenth of a second to half a minute.
  public static let standardLength: ClosedRange<Duration> = .milliseconds(100) ... .seconds(30)

  /// The host crashes, and is back after a time: ``SimulatedHost/crash()``, ``SimulatedHost/restart()``.
  public static func crash(_ host: String, for length: ClosedRange<Duration> = standardLength) -> Self {
    Self(kind: .effect(.crash(host), length))
  }

  /// The host's process is killed, and a new one begins after a time: ``SimulatedHost/kill()``.
  public static func kill(_ host: String, for length: ClosedRange<Duration> = standardLength) -> Self {
    Self(kind: .effect(.kill(host), length))
  }

  /// Two hosts are cut off from each other for a time.
  public static func cut(
    _ a: String, _ b: String, for length: ClosedRange<Duration> = standardLength
  ) -> Self {
    Self(kind: .effect(.cut(a, b), length))
  }

  /// Nothing gets through from one host to the other for a time, and everything the other way.
  public static func cut(
    from source: String, to target: String, for length: ClosedRange<Duration> = standardLength
  ) -> Self {
    Self(kind: .effect(.block(from: source, to: target), length))
  }

  /// All connections between two hosts are reset.
  public static func reset(_ a: String, _ b: String) -> Self {
    Self(kind: .effect(.reset(a, b), .zero ... .zero))
  }

  /// The link between two hosts is slow for a time, or narrow, or loses packets.
  public static func slow(
    _ a: String, _ b: String,
    _ conditions: LinkConditions = LinkConditions(
      latency: .milliseconds(500), jitter: .milliseconds(500), loss: 0.1),
    for length: ClosedRange<Duration> = standardLength
  ) -> Self {
    Self(kind: .effect(.slow(a, b, conditions), length))
  }

  /// A name cannot be resolved for a time.
  public static func unresolved(
    _ name: String, for length: ClosedRange<Duration> = standardLength
  ) -> Self {
    Self(kind: .effect(.unresolved(name), length))
  }

  /// A host has so few descriptors for a time.
  public static func descriptors(
    _ host: String, limit: Int, for length: ClosedRange<Duration> = standardLength
  ) -> Self {
    Self(kind: .effect(.descriptors(host, limit: limit), length))
  }

  /// A host's clock is set: forward, or back by a negative duration.
  public static func clock(
    _ host: String, by step: ClosedRange<Duration> = .seconds(-3600) ... .seconds(3600)
  ) -> Self {
    Self(kind: .clock(host, step))
  }

  /// One of them that begins then.
  func planned(at begin: Duration, using random: inout SeededRandom) -> PlannedFault {
    switch kind {
    case .effect(let effect, let lengths):
      PlannedFault(effect, begin: begin, length: .drawn(from: lengths, using: &random))
    case .clock(let host, let steps):
      PlannedFault(.clock(host, by: .drawn(from: steps, using: &random)), begin: begin)
    }
  }

  /// The hosts that it concerns.
  var hosts: [String] {
    switch kind {
    case .effect(let effect, _): effect.hosts
    case .clock(let host, _): [host]
    }
  }

  func validate() throws(SimulationError) {
    let effect: PlannedFault.Effect
    switch kind {
    case .clock(let host, let steps):
      effect = .clock(host, by: steps.lowerBound)
      if steps.lowerBound < .zero - PlannedFault.latest || steps.upperBound > PlannedFault.latest {
        throw .invalid("a clock cannot be set by more than a hundred years")
      }
    case .effect(let kind, let lengths):
      effect = kind
      if lengths.lowerBound < .zero {
        throw .invalid("a fault cannot last for \(lengths.lowerBound): give it a length of zero or more")
      }
      if lengths.upperBound > PlannedFault.latest {
        throw .invalid("a fault cannot last for more than a hundred years")
      }
    }
    try effect.validate()
  }
}

extension PlannedFault.Effect {
  func validate() throws(SimulationError) {
    switch self {
    case .slow(_, _, let conditions): try conditions.validate()
    case .descriptors(_, let limit) where limit < 0:
      throw .invalid("a host cannot have \(limit) descriptors: the least is 0")
    default: break
    }
    for name in names {
      if let problem = SimulatedHost.problem(withName: name) { throw .invalid(problem) }
    }
    switch self {
    case .crash("localhost"), .kill("localhost"):
      throw .invalid(
        "\"localhost\" cannot crash, since the body of the simulation runs on it: let what crashes run on a host of "
          + "its own")
    case .cut(let a, let b), .block(from: let a, to: let b), .slow(let a, let b, _), .reset(let a, let b):
      if a == b { throw .invalid("there is no network between \"\(a)\" and itself: name two hosts") }
    default: break
    }
  }

  /// The hosts that it concerns.
  var hosts: [String] { if case .unresolved = self { [] } else { names } }

  /// Whom it concerns.
  var names: [String] {
    switch self {
    case .crash(let name), .kill(let name), .unresolved(let name), .descriptors(let name, _),
      .clock(let name, _):
      [name]
    case .cut(let a, let b), .block(from: let a, to: let b), .reset(let a, let b), .slow(let a, let b, _):
      [a, b]
    }
  }
}

extension Duration {
  /// In whole milliseconds, where there are several, so that it is short in a token; short ones are as likely as long ones.
  fileprivate static func drawn(
    from range: ClosedRange<Duration>, using random: inout SeededRandom
  ) -> Duration {
    if range.upperBound - range.lowerBound < .milliseconds(1) {
      let width = (range.upperBound - range.lowerBound).components.attoseconds / 1_000_000_000
      return range.lowerBound + .nanoseconds(Int64.random(in: 0...width, using: &random))
    }
    let low = range.lowerBound.wholeMilliseconds
    let width = (range.upperBound.wholeMilliseconds - low) >> Int64.random(in: 0...6, using: &random)
    let drawn = Duration.milliseconds(low + .random(in: 0...max(0, width), using: &random))
    return max(drawn, range.lowerBound)
  }

  var wholeMilliseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1000 + attoseconds / 1_000_000_000_000_000
  }
}
