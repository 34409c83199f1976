/// What may go wrong in a simulation, and how much of it: each seed draws its own faults from it (``explore(seeds:faults:systemCalls:timeLimit:budget:concurrency:onProgress:_:)``).
///
/// ```swift
/// let faults = FaultMix(.crash("server"), .cut("client", "server"), upTo: 5, within: .seconds(60))
/// ```
public struct FaultMix: Hashable, Sendable {
  /// What may happen; each is as likely as the others. One that is given twice is twice as likely.
  public let faults: [PossibleFault]
  /// How many faults one run has at most.
  public let most: Int
  /// When they begin at the latest, counted from the beginning of the simulation.
  public let span: Duration

  /// A mix of faults.
  ///
  /// - Parameters:
  ///   - faults: what may happen.
  ///   - most: how many of them one run has at most; it has as few as none.
  ///   - span: the time from the beginning of the simulation in which they begin.
  public init(_ faults: PossibleFault..., upTo most: Int = 3, within span: Duration = .seconds(60)) {
    self.init(faults, upTo: most, within: span)
  }

  /// The same with a list.
  public init(_ faults: [PossibleFault], upTo most: Int = 3, within span: Duration = .seconds(60)) {
    self.faults = faults
    self.most = most
    self.span = span
  }

  private static let mostFaults = 100_000

  /// Nothing goes wrong.
  public static let none = FaultMix([])

  func validate() throws(SimulationError) {
    for fault in faults { try fault.validate() }
    if most < 0 { throw .invalid("a run cannot have up to \(most) faults: the least is 0") }
    if most > Self.mostFaults {
      throw .invalid("a run cannot have up to \(most) faults: the most is \(Self.mostFaults)")
    }
    if span > PlannedFault.latest {
      throw .invalid(
        "faults must begin within a hundred years, not within \(span.components.seconds) seconds")
    }
    if span <= .zero { throw .invalid("faults cannot begin within \(span): give them a time above zero") }
  }

  /// A host that is in no scenario is a mistake in its name, and its faults would be none.
  func validate(hosts: Set<String>) throws(SimulationError) {
    try Self.validate(faults.flatMap(\.hosts), hosts: hosts)
  }

  static func validate(_ names: [String], hosts: Set<String>) throws(SimulationError) {
    guard let missing = names.first(where: { !hosts.contains($0) }) else { return }
    throw .invalid(
      "the faults name \(missing.debugDescription), but no run had a host of that name: there were "
        + hosts.sorted().map(\.debugDescription).joined(separator: ", "))
  }

  /// What goes wrong in the run with a seed, in the order in which it begins.
  func plan(seed: UInt64) -> [PlannedFault] {
    guard !faults.isEmpty else { return [] }
    var random = SeededRandom(seed: seed ^ 0x6661_756c_7473)
    let count = Int.random(in: 0...most, using: &random)
    return (0..<count).map { _ in
      let fault = faults[Int.random(in: faults.indices, using: &random)]
      let begin = Int64.random(in: 0...max(0, span.wholeMilliseconds), using: &random)
      return fault.planned(at: .milliseconds(begin), using: &random)
    }.sorted { $0.begin < $1.begin }
  }
}
