/// The pauses between attempts in a row, as a `ReconnectPolicy` has them. Pure: it is told the time, and draws from the
/// generator that it is given.
///
/// ```swift
/// var backoff = try Backoff(policy)
/// backoff.attemptBegins(at: loop.now)
/// // … which fails:
/// guard let pause = backoff.pause(at: loop.now, using: &generator) else { throw error }
/// // … and one whose connection proves healthy:
/// backoff.reset()
/// ```
public struct Backoff: Sendable {
  /// What it follows.
  public let policy: ReconnectPolicy
  /// Attempts in a row so far. One that led to a connection which proved healthy is the first of a new row.
  public private(set) var attempts = 0
  private var rowBegan: EventLoop.Instant?
  private var nextDelay: Duration

  /// Before the first attempt.
  ///
  /// - Throws: `SocketError.invalid` for a policy that cannot work.
  public init(_ policy: ReconnectPolicy) throws(SocketError) {
    try policy.validate()
    self.init(validated: policy)
  }

  init(validated policy: ReconnectPolicy) {
    self.policy = policy
    nextDelay = policy.initialDelay
  }

  /// An attempt begins.
  public mutating func attemptBegins(at now: EventLoop.Instant) {
    attempts += 1
    if rowBegan == nil { rowBegan = now }
  }

  /// The attempt has failed, or its connection has ended.
  ///
  /// - Returns: how long to wait for the next; `nil` to give up.
  public mutating func pause(
    at now: EventLoop.Instant, using generator: inout some RandomNumberGenerator
  ) -> Duration? {
    if let limit = policy.maximumAttempts, attempts >= limit { return nil }
    let began = rowBegan ?? now
    rowBegan = began
    let pause = policy.jitter.pause(of: nextDelay, using: &generator)
    if let limit = policy.maximumTime, began.duration(to: now.advanced(by: pause)) > limit { return nil }
    nextDelay = policy.delay(after: nextDelay)
    return pause
  }

  /// The connection has proved healthy: pauses begin from the shortest again, whenever it ends.
  public mutating func reset() {
    let attempts = min(attempts, 1)
    self = Backoff(validated: policy)
    self.attempts = attempts
  }
}

extension ReconnectPolicy {
  fileprivate func delay(after delay: Duration) -> Duration {
    // Compared before it is computed, which could overflow.
    let grows = delay / .seconds(1) * multiplier < maximumDelay / .seconds(1)
    return grows ? min(delay * multiplier, maximumDelay) : maximumDelay
  }
}

extension ReconnectPolicy.Jitter {
  fileprivate func pause(of delay: Duration, using generator: inout some RandomNumberGenerator) -> Duration {
    let nanoseconds = EventLoop.Instant(nanoseconds: 0).advanced(by: delay).nanoseconds
    return switch self {
    case .none: delay
    case .equal: .nanoseconds(Int64.random(in: nanoseconds / 2...nanoseconds, using: &generator))
    case .full: .nanoseconds(Int64.random(in: 0...nanoseconds, using: &generator))
    }
  }
}
