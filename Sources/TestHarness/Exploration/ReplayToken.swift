/// What a failure follows from, in one word: a seed, and the faults that it takes.
///
/// `v1,4711,crash:server@12.345+3.2,cut:client:server@20+4`: version 1, seed 4711; `server` crashes after 12.345 s and is
/// back 3.2 s later; `client` and `server` are cut off from each other from 20 s on for 4 s. It has no character that
/// a shell would take for its own.
public struct ReplayToken: Hashable, Sendable {
  /// The seed.
  public let seed: UInt64
  /// The faults, in the order in which they begin.
  public let faults: [PlannedFault]

  init(seed: UInt64, faults: [PlannedFault]) {
    self.seed = seed
    self.faults = faults
  }

  /// Reads a token.
  ///
  /// - Throws: `SimulationError.invalid`, with what is wrong and where.
  public init(_ text: String) throws(SimulationError) {
    func wrong(_ problem: String) -> SimulationError {
      .invalid("the replay token \(text.debugDescription) cannot be read: \(problem)")
    }
    let fields = text.split(separator: ",", omittingEmptySubsequences: false)
    guard fields[0] == Self.version else {
      throw wrong("it begins with \(String(fields[0]).debugDescription) and not with \"\(Self.version),\"")
    }
    guard fields.count > 1 else { throw wrong("it ends before its seed") }
    guard let seed = UInt64(fields[1]) else {
      throw wrong("the seed must be a number, but is \(String(fields[1]).debugDescription)")
    }
    var faults: [PlannedFault] = []
    for (index, field) in fields.dropFirst(2).enumerated() {
      do {
        faults.append(try PlannedFault(token: field))
      } catch {
        throw wrong("fault \(index + 1), \(String(field).debugDescription): \(error)")
      }
    }
    self.init(seed: seed, faults: faults)
  }

  /// What ASYNCSOCKETS_REPLAY asks for; one that is empty asks for nothing.
  static func asked(by variable: String?) throws(SimulationError) -> ReplayToken? {
    guard let variable, !variable.isEmpty else { return nil }
    return try ReplayToken(variable)
  }

  /// One that names hosts of which the scenario has none would find nothing.
  func validate(hosts: Set<String>) throws(SimulationError) {
    try FaultMix.validate(faults.flatMap(\.effect.hosts), hosts: hosts)
  }

  private static let version = "v1"
}

extension ReplayToken: CustomStringConvertible {
  /// The token.
  public var description: String {
    ([Self.version, "\(seed)"] + faults.map(\.token)).joined(separator: ",")
  }
}
