extension EventLoop {
  /// A point in time on the clock of an event loop, with a resolution of one nanosecond.
  public struct Instant: InstantProtocol, Hashable, Sendable {
    /// Nanoseconds since the clock's own zero.
    public let nanoseconds: Int64

    /// The point that many nanoseconds after the clock's zero.
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Later than all that comes.
    static var never: Instant { Instant(nanoseconds: .max) }

    /// The instant `duration` later; one beyond the clock's range becomes its end.
    public func advanced(by duration: Duration) -> Instant {
      let attoseconds = duration.attoseconds
      let high = UInt64(truncatingIfNeeded: attoseconds >> 64)
      guard high < 500_000_000 else { return advancedFar(by: duration) }
      // From none to 292 years: one division of the processor's, where the library's own costs a read with a deadline
      // a twentieth.
      let low = UInt64(truncatingIfNeeded: attoseconds)
      let (quotient, _) = (1_000_000_000 as UInt64).dividingFullWidth((high, low))
      let (sum, overflow) = nanoseconds.addingReportingOverflow(Int64(quotient))
      return overflow ? .never : Instant(nanoseconds: sum)
    }

    @inline(never)
    private func advancedFar(by duration: Duration) -> Instant {
      let (seconds, attoseconds) = duration.components
      let (whole, tooLong) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
      let end = duration < .zero ? Instant(nanoseconds: .min) : .never
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

  package func instant(now: @autoclosure () -> EventLoop.Instant) -> EventLoop.Instant? {
    switch self {
    case .never: nil
    case .after(let duration): now().advanced(by: duration)
    case .at(let instant): instant
    }
  }
}
