/// When to send the next heartbeat, and when a server is dead. Pure.
struct SilenceWatch {
  enum Action: Equatable {
    case beat
    case dead(after: Duration)
    case wait(until: EventLoop.Instant)
  }

  let interval: Duration
  let silence: Duration
  private var bytesRead: UInt64
  private var heardAt: EventLoop.Instant
  private var nextBeat: EventLoop.Instant

  init(interval: Duration, silence: Duration, now: EventLoop.Instant, bytesRead: UInt64) {
    self.interval = interval
    self.silence = silence
    self.bytesRead = bytesRead
    heardAt = now
    nextBeat = now.advanced(by: interval)
  }

  /// - Parameter hasUnread: whether there may be more than the bytes that were read.
  mutating func look(at now: EventLoop.Instant, bytesRead: UInt64, hasUnread: Bool) -> Action {
    if bytesRead != self.bytesRead || hasUnread {
      self.bytesRead = bytesRead
      heardAt = now
    }
    let limit = heardAt.advanced(by: silence)
    if now >= limit { return .dead(after: heardAt.duration(to: now)) }
    guard now >= nextBeat else { return .wait(until: min(limit, nextBeat)) }
    nextBeat = nextBeat.advanced(by: interval)
    // Not one for each that was missed while the process was stopped.
    if nextBeat <= now { nextBeat = now.advanced(by: interval) }
    return .beat
  }
}
