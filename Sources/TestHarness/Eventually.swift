import AsyncSockets

/// A condition that did not come about in time.
public struct ConditionNotMet: Error, CustomStringConvertible {
  /// What was waited for, and what was seen instead.
  public let description: String
}

/// Waits until a condition holds, for what no event announces: a thread's exit, a peer process, the kernel.
///
/// The only place where a test may poll. It looks after a millisecond and then ever less often, every 20 ms in the end,
/// and gives up after `limit` of real time; in a simulation, of its time.
///
/// - Parameters:
///   - what: the condition in words, for the error.
///   - limit: how long to wait; 40 s by default, which only a failure or a machine under heavy load takes.
///   - isMet: the condition; must return at once.
/// - Throws: `ConditionNotMet` when the limit is reached; `CancellationError`.
public func eventually(
  _ what: String, within limit: Duration = .seconds(40), _ isMet: () throws -> Bool
) async throws {
  // In a simulation only its own time passes; elsewhere the loop's clock may be one that somebody moves by hand.
  let simulated = try SimulatedHost.current?.environment.loops
  let loop = try (simulated ?? EventLoopGroup.shared).loops[0]
  let end = loop.now.advanced(by: limit)
  var pause = Duration.milliseconds(1)
  while true {
    if try isMet() { return }
    if loop.now >= end { throw ConditionNotMet(description: "not within \(limit): \(what)") }
    try await loop.sleep(for: pause)
    pause = min(pause * 2, .milliseconds(20))
  }
}
