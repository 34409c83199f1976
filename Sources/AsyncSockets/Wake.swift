/// Why a suspended operation goes on.
enum Wake: Sendable {
  /// Something changed: look again.
  case changed
  case cancelled
  case timedOut
}

/// The continuation of a suspended operation: checked in debug builds, where a forgotten or repeated resume is
/// reported, and free of cost in release builds.
@safe
struct WakeContinuation: Sendable {
  #if DEBUG
    private typealias Continuation = CheckedContinuation<Wake, Never>
    private let continuation: Continuation

    func resume(_ wake: Wake = .changed) { continuation.resume(returning: wake) }
  #else
    private typealias Continuation = UnsafeContinuation<Wake, Never>
    private let continuation: Continuation

    @inline(__always)
    func resume(_ wake: Wake = .changed) { unsafe continuation.resume(returning: wake) }
  #endif

  /// Suspends the task; `body` keeps the continuation or resumes it, exactly once.
  @inline(__always)
  static func suspend(_ body: (WakeContinuation) -> Void) async -> Wake {
    #if DEBUG
      await withCheckedContinuation { body(WakeContinuation(continuation: $0)) }
    #else
      await unsafe withUnsafeContinuation { unsafe body(WakeContinuation(continuation: $0)) }
    #endif
  }
}
