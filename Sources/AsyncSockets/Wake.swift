/// Why a suspended operation goes on.
@usableFromInline
enum Wake: Sendable {
  /// Something changed: look again.
  case changed
  case cancelled
  case timedOut
}

/// Whoever waits: a suspended task, or what runs a connection without one.
///
/// The continuation of a task is checked in debug builds, where a forgotten or repeated resume is reported, and free
/// of cost in release builds.
@safe
@usableFromInline
struct WakeContinuation: Sendable {
  @safe
  private enum Waiter {
    case task(Continuation)
    /// Which lives for as long as it waits: counting references would cost every task that waits as much.
    case driver(Unmanaged<ConnectionDriver>)
    /// Which may have ended by then.
    case retainedDriver(Unmanaged<ConnectionDriver>)
  }

  private let waiter: Waiter

  init(_ driver: ConnectionDriver) { unsafe waiter = .driver(.passUnretained(driver)) }

  /// For a wait that nothing ends but a resume.
  init(retaining driver: ConnectionDriver) { unsafe waiter = .retainedDriver(.passRetained(driver)) }

  #if DEBUG
    /// As large as in release builds, which sizes that tests look at depend on.
    @usableFromInline
    final class Continuation: Sendable {
      private let continuation: CheckedContinuation<Wake, Never>

      init(_ continuation: CheckedContinuation<Wake, Never>) { self.continuation = continuation }

      @unsafe func resume(returning wake: Wake) { continuation.resume(returning: wake) }
    }

    @usableFromInline
    init(_ continuation: CheckedContinuation<Wake, Never>) { waiter = .task(Continuation(continuation)) }

    /// Suspends the task; `body` keeps the continuation or resumes it, exactly once.
    @inlinable
    static func suspend(_ body: (WakeContinuation) -> Void) async -> Wake {
      await withCheckedContinuation { body(WakeContinuation($0)) }
    }
  #else
    @usableFromInline typealias Continuation = UnsafeContinuation<Wake, Never>

    @usableFromInline
    init(_ continuation: Continuation) { unsafe waiter = .task(continuation) }

    @inlinable @inline(__always)
    static func suspend(_ body: (WakeContinuation) -> Void) async -> Wake {
      #if compiler(<6.4)
        // The same function but for its `isolated` parameter, for which the caller would switch to the executor that
        // it runs on already: a twentieth of an echo.
        await unsafe _unsafeInheritExecutor_withUnsafeContinuation { unsafe body(WakeContinuation($0)) }
      #else
        await unsafe withUnsafeContinuation { unsafe body(WakeContinuation($0)) }
      #endif
    }
  #endif

  /// The same, for whoever takes it out of a connection's state and resumes it later, exactly once: meanwhile a driver
  /// may end, unless it is held. To be called while the state is locked.
  @inline(__always)
  var taken: WakeContinuation {
    guard case .driver(let driver) = waiter else { return self }
    return unsafe driver._withUnsafeGuaranteedRef { WakeContinuation(retaining: $0) }
  }

  @inline(__always)
  func resume(_ wake: Wake = .changed) {
    switch waiter {
    case .task(let continuation): unsafe continuation.resume(returning: wake)
    case .retainedDriver(let driver): unsafe driver.takeRetainedValue().wake(wake)
    case .driver(let driver): unsafe driver._withUnsafeGuaranteedRef { $0.wake(wake) }
    }
  }
}
