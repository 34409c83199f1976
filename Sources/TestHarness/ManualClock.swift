import AsyncSockets

/// A clock that stands still until a test moves it.
///
/// ```swift
/// let clock = ManualClock()
/// let loop = try EventLoop(clock: clock)
/// …
/// clock.advance(by: .seconds(30))
/// ```
public final class ManualClock: LoopClock {
  private struct State {
    var now = EventLoop.Instant(nanoseconds: 0)
    var wakers: [@Sendable () -> Void] = []
  }

  private let state = Lock(State())

  /// A clock at zero.
  public init() {}

  /// The time to which it was last moved.
  public var now: EventLoop.Instant { state.withLock { $0.now } }

  /// Always `nil`: only `advance` makes time pass.
  public func nanoseconds(until due: EventLoop.Instant) -> Int64? {
    due <= now ? 0 : nil
  }

  /// Remembers whom to wake when time has jumped.
  public func attach(_ wake: @escaping @Sendable () -> Void) {
    state.withLock { $0.wakers.append(wake) }
  }

  /// Moves the time forward and wakes the loops, which then find their deadlines due. They do so on their own
  /// threads: wait for the effect, not for this call.
  ///
  /// - Parameter duration: how far; nothing happens when it is not positive.
  public func advance(by duration: Duration) {
    guard duration > .zero else { return }
    let wakers = state.withLock { state in
      state.now = state.now.advanced(by: duration)
      return state.wakers
    }
    for wake in wakers { wake() }
  }
}
