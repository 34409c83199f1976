/// Why a suspended operation goes on.
@usableFromInline
enum Wake: Sendable {
  /// Something changed: look again.
  case changed
  case cancelled
  case timedOut
}

/// The continuation of a suspended operation: checked in debug builds, where a forgotten or repeated resume is
/// reported, and free of cost in release builds.
@safe
@usableFromInline
struct WakeContinuation: Sendable {
  #if DEBUG
    @usableFromInline typealias Continuation = CheckedContinuation<Wake, Never>
    private let continuation: Continuation

    @usableFromInline
    init(_ continuation: Continuation) { self.continuation = continuation }

    func resume(_ wake: Wake = .changed) { continuation.resume(returning: wake) }

    /// Suspends the task; `body` keeps the continuation or resumes it, exactly once.
    @inlinable
    static func suspend(_ body: (WakeContinuation) -> Void) async -> Wake {
      await withCheckedContinuation { body(WakeContinuation($0)) }
    }
  #else
    @usableFromInline typealias Continuation = UnsafeContinuation<Wake, Never>
    private let continuation: Continuation

    @usableFromInline
    init(_ continuation: Continuation) { unsafe self.continuation = continuation }

    @inline(__always)
    func resume(_ wake: Wake = .changed) { unsafe continuation.resume(returning: wake) }

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
}
