extension EventLoop {
  /// A point in time on the clock of an event loop, with a resolution of one nanosecond.
  public struct Instant: InstantProtocol, Hashable, Sendable {
    /// Nanoseconds since the clock's own zero.
    public let nanoseconds: Int64

    /// The point that many nanoseconds after the clock's zero.
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The instant `duration` later; one beyond the clock's range becomes its end.
    public func advanced(by duration: Duration) -> Instant {
      let (seconds, attoseconds) = duration.components
      let (whole, tooLong) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
      let end = Instant(nanoseconds: duration < .zero ? .min : .max)
      if tooLong { return end }
      let (later, beyond) = nanoseconds.addingReportingOverflow(whole)
      if beyond { return end }
      let (sum, overflow) = later.addingReportingOverflow(attoseconds / 1_000_000_000)
      return overflow ? end : Instant(nanoseconds: sum)
    }

    /// The time from here to `other`, negative when that is earlier.
    public func duration(to other: Instant) -> Duration {
      .nanoseconds(other.nanoseconds) - .nanoseconds(nanoseconds)
    }

    /// Whether one instant is earlier than another.
    public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }
  }
}

/// When an operation gives up.
public enum Deadline: Hashable, Sendable {
  /// No deadline.
  case never
  /// This long after the call.
  case after(Duration)
  /// At a point on the clock of the connection's event loop, which several operations can share.
  case at(EventLoop.Instant)

  func instant(now: @autoclosure () -> EventLoop.Instant) -> EventLoop.Instant? {
    switch self {
    case .never: nil
    case .after(let duration): now().advanced(by: duration)
    case .at(let instant): instant
    }
  }
}
