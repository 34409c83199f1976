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
    /// A job has kept the simulation's thread for so long, in real time: it blocks it, or runs in a circle without ever
    /// waiting.
    case keptThread(Duration)
  }

  /// Why it would not end.
  public let reason: Reason
  /// Why it was told to end before, where it was, and not because its body had ended or its caller was cancelled.
  public let cause: Reason?
  private let wasToldToEnd: Bool
  /// What was waited for then: connections, deadlines, packets, services, and what ran last.
  public let waiting: String
  /// Whether tasks did not end even when they were cancelled. They have been given up: they never go on, and what they
  /// hold is leaked.
  public let wasGivenUp: Bool

  init(
    reason: Reason, cause: Reason? = nil, wasToldToEnd: Bool = false, waiting: String, wasGivenUp: Bool
  ) {
    self.reason = reason
    self.cause = cause
    self.wasToldToEnd = wasToldToEnd
    self.waiting = waiting
    self.wasGivenUp = wasGivenUp
  }

  /// In words, with what was waited for.
  public var description: String {
    let causes = cause.map { "\($0.text).\nIt was told to end, and then " } ?? ""
    let end = wasToldToEnd && cause == nil ? " after it was told to end" : ""
    return causes + reason.text + end + hint + "\n" + waiting + (wasGivenUp ? "\n" + surrender : "")
  }

  private var hint: String {
    guard case .keptThread = reason else { return "" }
    let more =
      wasToldToEnd
      ? ", such as around `try? await sleep`, which returns at once when it is cancelled"
      : ". A computation that takes so long must wait now and then: `await Task.yield()`"
    return ": it blocks the thread, or runs in a circle without ever waiting\(more);"
  }

  private var surrender: String {
    let leak = "so it was given up: its tasks never end, and what they hold is leaked"
    if case .keptThread = reason { return "\(leak), with the thread and its two descriptors" }
    return "It has been cancelled and did not end, \(leak)"
  }
}

extension SimulationStuck.Reason {
  fileprivate var text: String {
    switch self {
    case .deadlock:
      """
      nothing can happen any more: no job is ready, no deadline is set, no packet is on its way. What waits may wait \
      for something outside of the simulation: an event loop, a thread or a server of the real world
      """
    case .timeLimit(let limit):
      "it has gone on for \(limit.briefly) of its own time, the limit that timeLimit: sets"
    case .deafness(let duration):
      "it still goes on \(duration.briefly) of its own time after it was cancelled"
    case .livelock(let turns):
      """
      it runs in a circle: in \(turns) turns of the loop in a row jobs ran, but nobody slept and no byte moved, \
      though time was made to pass. Await what happens instead of asking again and again
      """
    case .keptThread(let duration):
      "a job has kept the simulation's thread for \(duration.briefly) of real time"
    }
  }
}
