/// Something that goes wrong in one run of a simulation, at a certain time.
public struct PlannedFault: Hashable, Sendable {
  /// What goes wrong.
  public enum Effect: Hashable, Sendable {
    /// The host crashes, and boots at the end (``SimulatedHost/crash()``).
    case crash(String)
    /// The host's process is killed, and a new one begins at the end (``SimulatedHost/kill()``).
    case kill(String)
    /// Two hosts are cut off from each other.
    case cut(String, String)
    /// Nothing gets through from one host to another; the other way is as it was.
    case block(from: String, to: String)
    /// Every connection between two hosts is reset. It takes no time.
    case reset(String, String)
    /// Packets between two hosts travel under these conditions.
    case slow(String, String, LinkConditions)
    /// A name cannot be resolved (`EAI_AGAIN`).
    case unresolved(String)
    /// A host has so few descriptors.
    case descriptors(String, limit: Int)
    /// A host's clock (``SimulatedHost/clock``) is set forward or back. It takes no time.
    case clock(String, by: Duration)
  }

  /// What goes wrong.
  public let effect: Effect
  /// When it begins, counted from the beginning of the simulation.
  public let begin: Duration
  /// How long it lasts; zero for what takes no time.
  public let length: Duration

  init(_ effect: Effect, begin: Duration, length: Duration = .zero) {
    self.effect = effect
    self.begin = begin
    self.length = length
  }

  /// A hundred years; the clock goes on for 292.
  static let latest = Duration.seconds(100 * 365 * 86_400)

  /// When it is over.
  public var end: Duration { begin + length }
}

extension PlannedFault.Effect {
  /// Whether it lasts.
  var takesTime: Bool {
    switch self {
    case .reset, .clock: false
    default: true
    }
  }
}

extension PlannedFault: CustomStringConvertible {
  /// In words: `server crashes, and is back after 3.2 s`.
  public var description: String {
    let time = length.briefly
    return switch effect {
    case .crash(let host): "\(host) crashes, and is back after \(time)"
    case .kill(let host): "the process of \(host) is killed, and another begins after \(time)"
    case .cut(let a, let b): "\(a) and \(b) are cut off from each other for \(time)"
    case .block(let source, let target): "\(target) hears nothing of \(source) for \(time)"
    case .reset(let a, let b): "connections between \(a) and \(b) are reset"
    case .slow(let a, let b, let conditions): "between \(a) and \(b) there is, for \(time), \(conditions)"
    case .unresolved(let name): "the name \(name) cannot be resolved for \(time)"
    case .descriptors(let host, let limit): "\(host) has \(limit.of("descriptor")) for \(time)"
    case .clock(let host, let step):
      "the clock of \(host) is set \(step < .zero ? "back" : "forward") by \((step < .zero ? .zero - step : step).briefly)"
    }
  }
}
