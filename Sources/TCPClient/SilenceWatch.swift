import AsyncSockets

/// When to send the next heartbeat, and when a server is dead. Pure.
struct SilenceWatch {
  enum Action: Equatable {
    case beat
    case dead(after: Duration)
    case wait(until: EventLoop.Instant)
  }

  let interval: Duration
  let silence: Duration
  private var arrived: ArrivedInput
  private var heardAt: EventLoop.Instant
  private var nextBeat: EventLoop.Instant

  init(interval: Duration, silence: Duration, now: EventLoop.Instant, arrived: ArrivedInput) {
    self.interval = interval
    self.silence = silence
    self.arrived = arrived
    heardAt = now
    nextBeat = now.advanced(by: interval)
  }

  /// When the server is dead, unless something comes before.
  var limit: EventLoop.Instant { heardAt.advanced(by: silence) }

  mutating func look(at now: EventLoop.Instant, arrived: ArrivedInput) -> Action {
    if arrived != self.arrived || arrived.mayHoldUpPeer {
      self.arrived = arrived
      heardAt = now
    }
    if now >= limit { return .dead(after: heardAt.duration(to: now)) }
    guard now >= nextBeat else { return .wait(until: min(limit, nextBeat)) }
    nextBeat = nextBeat.advanced(by: interval)
    // Not one for each that was missed while the process was stopped.
    if nextBeat <= now { nextBeat = now.advanced(by: interval) }
    return .beat
  }
}
