/// How long a connection has been idle: time in which no byte moved and somebody waited for the peer. Pure.
///
/// Time that the handler spends on something else does not count, and does not end an idle stretch either.
struct Idleness {
  /// When the last byte moved, and as much later as nobody has waited since.
  private(set) var since: EventLoop.Instant
  private var waitEnded: EventLoop.Instant

  init(now: EventLoop.Instant) {
    since = now
    waitEnded = now
  }

  @inline(__always)
  mutating func bytesMoved(_ now: EventLoop.Instant) {
    since = now
    waitEnded = now
  }

  /// Moves the beginning of the stretch by the time that nobody waited.
  mutating func waitBegan(_ now: EventLoop.Instant) {
    since = EventLoop.Instant(nanoseconds: since.nanoseconds &+ (now.nanoseconds &- waitEnded.nanoseconds))
    waitEnded = now
  }

  mutating func waitEnded(_ now: EventLoop.Instant) { waitEnded = now }

  /// How long it has been idle.
  func time(_ now: EventLoop.Instant, isWaiting: Bool) -> Duration {
    since.duration(to: isWaiting ? now : waitEnded)
  }

  /// When the limit is reached if the wait that is under way goes on.
  func due(_ limit: Duration) -> EventLoop.Instant { since.advanced(by: limit) }
}
