import AsyncSockets

/// What a pool keeps to, as its pure state machine needs it.
struct PoolRules {
  var maximum = 8
  var minimumIdle = 0
  /// How long one may idle that is not needed; `nil` for ever.
  var idleTimeout: Duration?
  /// How old one may get; `nil` for ever.
  var lifetime: Duration?
  /// After how much idling one is checked before it is lent; `nil` for never.
  var checkAfter: Duration?

  /// How often those that idle are looked at.
  var sweepInterval: Duration {
    max(.milliseconds(10), min(.seconds(1), idleTimeout ?? .seconds(1), lifetime ?? .seconds(1)))
  }

  func mustBeChecked(_ idleSince: EventLoop.Instant, at now: EventLoop.Instant) -> Bool {
    Self.isOver(checkAfter, since: idleSince, at: now)
  }

  func hasIdledTooLong(_ idleSince: EventLoop.Instant, at now: EventLoop.Instant) -> Bool {
    Self.isOver(idleTimeout, since: idleSince, at: now)
  }

  func hasLivedTooLong(_ born: EventLoop.Instant, at now: EventLoop.Instant) -> Bool {
    Self.isOver(lifetime, since: born, at: now)
  }

  private static func isOver(
    _ limit: Duration?, since start: EventLoop.Instant, at now: EventLoop.Instant
  ) -> Bool {
    limit.map { start.advanced(by: $0) <= now } ?? false
  }
}
