import Glibc

/// What an event loop reads the time from.
///
/// The system's monotonic clock in production; a test or a simulation supplies one that it moves itself.
public protocol LoopClock: AnyObject, Sendable {
  /// The time now; never earlier than an answer given before.
  var now: EventLoop.Instant { get }

  /// How long a loop with nothing to do may sleep before `due`, in nanoseconds; `nil` when only a wake-up can
  /// tell, because time moves by hand.
  func nanoseconds(until due: EventLoop.Instant) -> Int64?

  /// Gives the clock a way to wake a loop whose sleep a jump of time has made stale.
  func attach(_ wake: @escaping @Sendable () -> Void)
}

/// `CLOCK_MONOTONIC`: unmoved by changes of the time of day; stands still while the machine sleeps.
public final class MonotonicClock: LoopClock {
  /// The one instance; it has no state.
  public static let shared = MonotonicClock()

  private init() {}

  /// Nanoseconds since some point before this process began.
  public var now: EventLoop.Instant {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return EventLoop.Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }

  /// The difference to the time now.
  public func nanoseconds(until due: EventLoop.Instant) -> Int64? {
    let (difference, overflow) = due.nanoseconds.subtractingReportingOverflow(now.nanoseconds)
    return overflow ? (due > now ? .max : 0) : max(0, difference)
  }

  /// Does nothing: this clock never jumps.
  public func attach(_ wake: @escaping @Sendable () -> Void) {}
}
