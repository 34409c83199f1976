/// When to try again after an attempt or a connection has ended, and when to give up.
///
/// By default the first pause is at most 2 s, each further one at most twice as long, and none longer than 30 s. Each is drawn
/// at random from zero to that (full jitter), so that clients which lose their server at the same moment come back one
/// by one. They try for ever, unless told otherwise.
///
/// ```swift
/// var policy = ReconnectPolicy()
/// policy.maximumDelay = .seconds(5)
/// policy.maximumAttempts = 10
/// ```
public struct ReconnectPolicy: Hashable, Sendable {
  /// How much of a pause is left to chance.
  public enum Jitter: Hashable, Sendable, CaseIterable {
    /// All of it: from zero to the whole.
    case full
    /// Half of it: from half to the whole.
    case equal
    /// Nothing: always the whole.
    case none
  }

  /// The first pause, before jitter; 2 s by default. Zero tries again at once, for ever.
  public var initialDelay = Duration.seconds(2)

  /// How much longer each pause is than the one before it, at least 1; 2 by default.
  public var multiplier = 2.0

  /// The longest pause, before jitter; 30 s by default.
  public var maximumDelay = Duration.seconds(30)

  /// How much of a pause is left to chance; all of it by default.
  public var jitter = Jitter.full

  /// How many attempts to make in a row, the first included; `nil`, the default, for no limit. The one that led to a
  /// connection which proved healthy is the first of a new row.
  public var maximumAttempts: Int?

  /// No attempt begins later than this after the first of its row, or after the end of a connection that had proved
  /// healthy; `nil`, the default, for no limit.
  public var maximumTime: Duration?

  /// The defaults.
  public init() {}

  /// One attempt, and no other.
  public static var never: Self {
    var policy = Self()
    policy.maximumAttempts = 1
    return policy
  }

  /// Always the same pause, without jitter.
  ///
  /// Clients in numbers that share a server do it no favour with this.
  ///
  /// - Parameters:
  ///   - delay: the pause.
  ///   - attempts: how many attempts to make in a row, the first included; `nil` for no limit.
  public static func fixed(_ delay: Duration, attempts: Int? = nil) -> Self {
    var policy = Self()
    policy.initialDelay = delay
    policy.multiplier = 1
    policy.maximumDelay = delay
    policy.jitter = .none
    policy.maximumAttempts = attempts
    return policy
  }

  func validate() throws(SocketError) {
    if initialDelay < .zero {
      throw .invalid("reconnect.initialDelay must not be negative, but is \(initialDelay.exactly)")
    }
    guard multiplier >= 1, multiplier.isFinite else {
      throw .invalid("reconnect.multiplier must be a number of at least 1, not \(multiplier)")
    }
    if maximumDelay < initialDelay {
      throw .invalid(
        "reconnect.maximumDelay, \(maximumDelay.exactly), is shorter than initialDelay, "
          + initialDelay.exactly)
    }
    if let maximumAttempts, maximumAttempts < 1 {
      throw .invalid("reconnect.maximumAttempts must be at least 1, not \(maximumAttempts); nil for no limit")
    }
    if let maximumTime, maximumTime <= .zero {
      throw .invalid(
        "reconnect.maximumTime must be positive, not \(maximumTime.exactly); .never for a single attempt")
    }
  }
}
