import CLinux
import Glibc
import Synchronization

/// What has arrived, and where to say so: all that the handler touches. Signal-safe once initialised, which
/// `SignalHub` sees to before it installs the handler.
private let arrivedSignals = Atomic<UInt64>(0)
private let signalEvent = Atomic<Int32>(-1)

/// Runs on whatever thread the kernel chose, between any two instructions: see signal-safety(7).
private func handleSignal(_ number: Int32) {
  let saved = errno
  arrivedSignals.bitwiseOr(1 << UInt64(number - 1), ordering: .sequentiallyConsistent)
  var one: UInt64 = 1
  _ = unsafe write(signalEvent.load(ordering: .sequentiallyConsistent), &one, MemoryLayout<UInt64>.size)
  errno = saved
}

/// The one receiver of signals in a process: it owns the handler, and tells the subscriptions.
///
/// Neither signalfd(2) nor sigwait(3) would do: both need every thread of the process to block the signal, and a
/// library does not own the threads.
final class SignalHub: Sendable {
  private struct State {
    var inboxes: [SignalInbox] = []
    /// How many subscriptions want each signal, and what its disposition was before the first.
    var users: [Int32: (count: Int, previous: sigaction)] = [:]
  }

  let loop: EventLoop
  private let event: Descriptor
  private let state = Lock(State())

  private static let result = Result { () throws(SocketError) in try SignalHub() }

  static func shared() throws(SocketError) -> SignalHub { try result.get() }

  private init() throws(SocketError) {
    loop = try EventLoopGroup.shared.loops[0]
    event = try Epoll.makeEvent()
    signalEvent.store(event.number, ordering: .sequentiallyConsistent)
    // Once outside a signal, so that everything it touches is initialised and every symbol bound.
    handleSignal(1)
    arrivedSignals.store(0, ordering: .sequentiallyConsistent)
    loop.core.perform(.register(self))
  }

  func subscribe(to signals: [ProcessSignals.Signal]) throws(SocketError) -> SignalSubscription {
    try loop.core.checkIsRunning()
    var set = SignalSet()
    for signal in signals {
      guard SignalSet.range.contains(signal.rawValue) else {
        throw .invalid("there is no \(signal): signals have numbers from 1 to 64")
      }
      set.insert(SignalSet(number: signal.rawValue))
    }
    var installed: [Int32] = []
    for number in set.numbers {
      do throws(SocketError) {
        try install(number)
        installed.append(number)
      } catch {
        for number in installed { uninstall(number) }
        throw error
      }
    }
    let inbox = SignalInbox(signals: set)
    state.withLock { $0.inboxes.append(inbox) }
    return SignalSubscription(inbox: inbox, hub: self)
  }

  func unsubscribe(_ inbox: SignalInbox) {
    state.withLock { state in state.inboxes.removeAll { $0 === inbox } }
    for number in inbox.signals.numbers { uninstall(number) }
  }

  private func install(_ number: Int32) throws(SocketError) {
    try state.withLock { state throws(SocketError) in
      if let user = state.users[number] {
        state.users[number] = (user.count + 1, user.previous)
        return
      }
      var action = sigaction()
      unsafe action.__sigaction_handler.sa_handler = handleSignal
      // System calls that a signal interrupts go on by themselves where they can.
      action.sa_flags = Int32(SA_RESTART)
      var previous = sigaction()
      guard unsafe sigaction(number, &action, &previous) == 0 else {
        throw .invalid(
          "\(ProcessSignals.Signal(rawValue: number)) cannot be caught: sigaction: \(Errno(errno))")
      }
      state.users[number] = (1, previous)
    }
  }

  private func uninstall(_ number: Int32) {
    state.withLock { state in
      guard let user = state.users[number] else { return }
      if user.count > 1 {
        state.users[number] = (user.count - 1, user.previous)
      } else {
        state.users[number] = nil
        var previous = user.previous
        _ = unsafe sigaction(number, &previous, nil)
      }
    }
  }
}

extension SignalHub: Pollable {
  func withDescriptor<Result>(_ body: (Int32) -> Result) -> Result? { body(event.number) }

  func ready(_ events: Epoll.Events) {
    let received = SignalSet(rawValue: arrivedSignals.exchange(0, ordering: .sequentiallyConsistent))
    guard !received.isEmpty else { return }
    for inbox in state.withLock({ $0.inboxes }) { inbox.receive(received) }
  }

  // An eventfd can always be watched.
  func registrationFailed(_ error: SocketError) {}

  func loopStopped() {
    for inbox in state.withLock({ $0.inboxes }) { inbox.end() }
  }

  func describe(to snapshot: inout EventLoop.Snapshot) {}
}

extension ProcessSignals.Signal: CustomStringConvertible {
  /// `SIGTERM`; `signal 34` for one without a name.
  public var description: String {
    guard let name = unsafe sigabbrev_np(rawValue) else { return "signal \(rawValue)" }
    return unsafe "SIG" + String(cString: name)
  }

  /// `SIGHUP`: the terminal has gone; by custom, read the configuration again.
  public static let hangUp = Self(rawValue: SIGHUP)
  /// `SIGINT`: Ctrl-C.
  public static let interrupt = Self(rawValue: SIGINT)
  /// `SIGTERM`: please end.
  public static let terminate = Self(rawValue: SIGTERM)
  /// `SIGQUIT`: Ctrl-\\.
  public static let quit = Self(rawValue: SIGQUIT)
  /// `SIGUSR1`: whatever you like.
  public static let user1 = Self(rawValue: SIGUSR1)
  /// `SIGUSR2`: whatever you like.
  public static let user2 = Self(rawValue: SIGUSR2)
  /// `SIGCHLD`: a child process has changed its state.
  public static let child = Self(rawValue: SIGCHLD)
}
