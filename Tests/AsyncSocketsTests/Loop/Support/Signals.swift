import Glibc

@testable import AsyncSockets

/// The next signal of a sequence; `nil` when the task is cancelled.
func next(of signals: ProcessSignals) async -> ProcessSignals.Signal? {
  var iterator = signals.makeAsyncIterator()
  return await iterator.next()
}

/// Whether a sequence has received nothing that it has not given out.
func isDry(_ signals: ProcessSignals) async -> Bool {
  await withTaskGroup(of: Bool.self) { group in
    // What is there comes first, also for a task that is cancelled.
    group.cancelAll()
    group.addTask { await next(of: signals) == nil }
    return await group.next() ?? false
  }
}

/// Sends a signal to the thread that runs, even if it was born with all signals blocked.
func signalThisThread(_ number: Int32) {
  var set = sigset_t()
  var before = sigset_t()
  unsafe sigemptyset(&set)
  unsafe sigaddset(&set, number)
  unsafe pthread_sigmask(SIG_UNBLOCK, &set, &before)
  pthread_kill(pthread_self(), number)
  unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
}

/// What the process does with a signal, in a form that can be compared.
struct Disposition: Equatable {
  private let handler: UInt
  private let flags: Int32

  init(of number: Int32) {
    var action = sigaction()
    unsafe sigaction(number, nil, &action)
    handler = unsafe unsafeBitCast(action.__sigaction_handler, to: UInt.self)
    // All but the mark that the C library leaves whenever it sets anything (SA_RESTORER).
    flags = action.sa_flags & ~0x0400_0000
  }

  static func setIgnored(_ number: Int32) {
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = SIG_IGN
    unsafe sigaction(number, &action, nil)
  }
}
