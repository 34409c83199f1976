import Synchronization

#if !os(Linux)
  #error("AsyncSockets runs on Linux: its event loop is built on epoll(7)")
#endif

/// One thread that waits for sockets and runs the tasks that serve them.
///
/// The loop is an actor on its own thread, and the same thread is a task executor: a child task that is added
/// with `executorPreference: loop.executor` reads, writes and waits without ever leaving it.
///
/// A loop lives until `shutdown()`, or until the last reference to it goes.
public actor EventLoop {
  nonisolated let core: EventLoopCore

  /// Starts a loop and its thread.
  ///
  /// - Parameter clock: what deadlines are measured by; the system's monotonic clock by default.
  /// - Throws: `SocketError.failed` when the system has no descriptor or thread left.
  public init(clock: any LoopClock = MonotonicClock.shared) throws(SocketError) {
    core = try EventLoopCore(clock: clock, kernel: LinuxKernel.shared)
  }

  /// Starts a loop whose system calls a test may play, and whose jobs it may put in an order of its own.
  package init(
    clock: any LoopClock = MonotonicClock.shared, kernel: any Kernel, order: (any JobOrder)? = nil
  ) throws(SocketError) {
    #if compiler(>=6.3) && compiler(<6.4)
      if order != nil {
        core = try SchedulingEventLoopCore(clock: clock, kernel: kernel, order: order)
        return
      }
    #endif
    core = try EventLoopCore(clock: clock, kernel: kernel, order: order)
  }

  deinit {
    core.stop()
  }

  /// The loop as an actor's executor: an actor that answers it from its own `unownedExecutor` runs on the loop.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe core.asUnownedSerialExecutor() }

  /// The loop as a task's executor.
  public nonisolated var executor: any TaskExecutor { core }

  /// Whether the caller runs on this loop's thread.
  public nonisolated var isCurrent: Bool { core.isCurrent }

  /// The time on the loop's clock; on the loop itself, the time at which the current turn began.
  public nonisolated var now: Instant { core.now }

  /// Whether nothing but a call makes time pass on the loop's clock.
  package nonisolated var movesByHand: Bool {
    core.clock.nanoseconds(until: core.clock.now.advanced(by: .seconds(1))) == nil
  }

  /// Stops the loop and returns when its thread has run what was enqueued.
  ///
  /// Everything that waits on the loop fails with `SocketError.loopStopped`, its connections are aborted, and its
  /// deadlines come at once. Nothing can be opened on it any more; a job that is enqueued later still runs. Does not
  /// react to cancellation; repeated calls do no harm.
  public nonisolated func shutdown() async {
    await core.stopAndWait()
  }

  /// How much the loop holds right now, for tests and monitoring; `snapshot` tells what.
  public nonisolated var census: Census {
    Census(
      registrations: core.registrations.load(ordering: .relaxed),
      deadlines: core.shared.withLock { core.order == nil ? $0.deadlines.count : $0.ownDeadlines },
      abandonedConnections: core.abandoned.load(ordering: .relaxed))
  }

  /// The peers of the first 8 connections that `census` counts as abandoned.
  package nonisolated var abandonedPeers: [SocketAddress?] { core.shared.withLock { $0.abandonedPeers } }

  /// A count of what an event loop holds.
  public struct Census: Hashable, Sendable {
    /// Descriptors that the loop watches.
    public let registrations: Int
    /// Deadlines that have not come yet.
    public let deadlines: Int
    /// Connections whose last handle was dropped without `close()` or `abort()` since the loop began; each of
    /// them was aborted.
    public let abandonedConnections: Int
  }
}

extension EventLoopCore {
  /// Nothing can be begun on a loop that stops or has stopped.
  func checkIsRunning() throws(SocketError) {
    guard shared.withLock({ $0.phase == .running }) else { throw .loopStopped }
  }
}
