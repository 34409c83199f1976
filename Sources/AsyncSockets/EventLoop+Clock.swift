extension EventLoop {
  /// The time of an event loop as the standard library's `Clock`, for code that takes any clock.
  ///
  /// Whoever sleeps on it stays on the loop, and follows the clock that the loop was given: a `ManualClock` under
  /// test, where `ContinuousClock` would take its real time.
  public struct Clock: _Concurrency.Clock {
    private let loop: EventLoop

    init(_ loop: EventLoop) { self.loop = loop }

    /// The time now; on the loop itself, the time at which the current turn began.
    public var now: Instant { loop.now }

    /// A millisecond: a sleep may end so much late (epoll_wait(2)), and never early.
    public var minimumResolution: Duration { .milliseconds(1) }

    /// Suspends until `deadline`; see `EventLoop.sleep(until:)`. The tolerance is not made use of.
    public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
      try await loop.sleep(until: deadline)
    }
  }

  /// The loop's clock, for `clock.sleep`, `clock.measure` and code that takes any clock.
  public nonisolated var clock: Clock { Clock(self) }
}

extension EventLoopGroup {
  /// The loop that the caller runs on, if it is one of these; else the next in turn.
  package func here() -> EventLoop { loops.first { $0.isCurrent } ?? next() }
}
