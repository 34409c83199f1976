import Glibc

/// Runs `body`, which may block, on a thread of its own, and awaits what it returns or throws.
///
/// The cooperative pool never grows: two tests that block on it stall the whole suite. So whatever blocks goes
/// through here. Cancelling the awaiting task does not interrupt `body`: peers give up by their own time limits.
public func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    startThread { continuation.resume(with: Result(catching: body)) }
  }
}

/// Starts a detached thread that runs `body` and ends.
///
/// It blocks no signal, unlike the threads of the cooperative pool, which block nearly all of them and would pass
/// that on: so signals that a test raises do meet peers in the middle of their system calls.
func startThread(_ body: @escaping @Sendable () -> Void) {
  let start = unsafe Unmanaged.passRetained(ThreadBody(body))
  var thread = pthread_t()
  let failure = unsafe pthread_create(&thread, nil, runThreadBody, start.toOpaque())
  precondition(failure == 0, "pthread_create: \(errnoName(failure))")
  pthread_detach(thread)
}

private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// A plain function, not a closure: a closure would inherit the isolation of where it is written.
private func runThreadBody(_ start: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let start = unsafe start else { return nil }
  var noSignals = sigset_t()
  unsafe sigemptyset(&noSignals)
  unsafe pthread_sigmask(SIG_SETMASK, &noSignals, nil)
  unsafe Unmanaged<ThreadBody>.fromOpaque(start).takeRetainedValue().run()
  return nil
}
