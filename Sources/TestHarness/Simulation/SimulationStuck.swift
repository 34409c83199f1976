import AsyncSockets

/// A simulation that would never end.
public struct SimulationStuck: Error, CustomStringConvertible {
  /// Why it would not.
  public enum Reason: Hashable, Sendable {
    /// Every task waits for something that nobody will do.
    case deadlock
    /// It has gone on for so long, in its own time.
    case timeLimit(Duration)
    /// It goes on so long after it was cancelled, in its own time.
    case deafness(Duration)
    /// Jobs have run in so many turns in a row, and nobody slept, and no byte moved.
    case livelock(turns: Int)
    /// A job that should end has kept the simulation's thread for so long, in real time: it blocks it, or runs in a
    /// circle without ever waiting.
    case keptThread(Duration)
  }

  /// Why it would not end.
  public let reason: Reason
  /// What was waited for then: connections, deadlines, packets, services, and what ran last.
  public let waiting: String
  /// Whether tasks did not end even when they were cancelled. They have been given up: they never go on, and what they
  /// hold is leaked.
  public let wasGivenUp: Bool

  /// In words, with what was waited for.
  public var description: String {
    reason.text + "\n" + waiting + (wasGivenUp ? "\n" + surrender : "")
  }

  private var surrender: String {
    let leak = "so it was given up: its tasks never end, and what they hold is leaked"
    if case .keptThread = reason { return "\(leak), with the thread" }
    return "It has been cancelled and did not end, \(leak)"
  }
}

extension SimulationStuck.Reason {
  fileprivate var text: String {
    switch self {
    case .deadlock:
      "nothing can happen any more: no job is ready, no deadline is set, no packet is on its way"
    case .timeLimit(let limit):
      "it has gone on for \(limit.briefly) of its own time, the limit that timeLimit: sets"
    case .deafness(let duration):
      "it still goes on \(duration.briefly) of its own time after it was cancelled"
    case .livelock(let turns):
      """
      it runs in a circle: in \(turns) turns of the loop in a row jobs ran, but nobody slept and no byte moved. \
      Await what happens instead of asking again and again
      """
    case .keptThread(let duration):
      """
      a job has kept the simulation's thread for \(duration.briefly) of real time after it was told to end: it blocks \
      the thread, or runs in a circle without ever waiting, such as around `try? await sleep`, which returns at once \
      when the task is cancelled;
      """
    }
  }
}
