import AsyncSockets

/// Notices when a simulation goes on for ever.
///
/// Pure: it is told of every turn of the loop.
struct SimulationWatch {
  /// Whether the simulation should come to its end by now.
  let isGrace: Bool
  /// When its time is over.
  let end: EventLoop.Instant
  private let begin: EventLoop.Instant
  private var turnsLeft: Int
  private let mostIdleTurns: Int
  /// Turns in a row in which jobs ran, nobody slept, and no byte moved.
  private(set) var idleTurns = 0
  private var traffic = 0
  private var isOver = false

  /// A simulation from its beginning.
  init(limit: Duration, patience: SimulationPatience) {
    isGrace = false
    begin = EventLoop.Instant(nanoseconds: 0)
    end = begin.advanced(by: limit)
    turnsLeft = .max
    mostIdleTurns = patience.idleTurns
  }

  /// A simulation that should end.
  init(graceFrom now: EventLoop.Instant, patience: SimulationPatience) {
    isGrace = true
    begin = now
    end = now.advanced(by: patience.grace)
    turnsLeft = patience.turnsOfGrace
    mostIdleTurns = patience.idleTurns
  }

  /// A turn is over.
  ///
  /// - Parameters:
  ///   - isBusy: whether more jobs are ready.
  ///   - traffic: how much the network has done until now.
  /// - Returns: what is wrong, once.
  mutating func noticeTurn(
    isBusy: Bool, now: EventLoop.Instant, traffic: Int
  ) -> SimulationStuck.Reason? {
    turnsLeft -= 1
    idleTurns = isBusy && traffic == self.traffic ? idleTurns + 1 : 0
    self.traffic = traffic
    if idleTurns >= mostIdleTurns { return notice(.livelock(turns: idleTurns)) }
    guard now >= end || turnsLeft <= 0 else { return nil }
    let duration = begin.duration(to: now)
    return notice(isGrace ? .deafness(duration) : .timeLimit(duration))
  }

  /// Nothing will ever happen by itself.
  mutating func noticeDeadlock() -> SimulationStuck.Reason? { notice(.deadlock) }

  private mutating func notice(_ reason: SimulationStuck.Reason) -> SimulationStuck.Reason? {
    defer { isOver = true }
    return isOver ? nil : reason
  }
}
