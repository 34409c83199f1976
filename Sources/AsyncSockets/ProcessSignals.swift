/// The signals that the process receives, as a sequence.
///
/// ```swift
/// for await signal in try ProcessSignals(.terminate, .interrupt) { … }
/// ```
///
/// Signals count from the moment of `init`, so that none is missed between that and the first iteration. While one
/// sequence wants a signal, its default action (to end the process) does not happen; with the last such sequence the
/// previous disposition returns. Any thread may receive the signal, whether or not it blocks others. Signals of the
/// same number that arrive faster than they are read become one, as signal(7) has it for all but real-time signals.
public struct ProcessSignals: AsyncSequence, Sendable {
  /// A signal, by its number in signal(7).
  public struct Signal: RawRepresentable, Hashable, Sendable {
    /// The number.
    public let rawValue: Int32

    /// The signal of that number.
    public init(rawValue: Int32) { self.rawValue = rawValue }
  }

  private let subscription: SignalSubscription

  /// Begins to receive signals.
  ///
  /// - Throws: `SocketError.failed` with the errno for a signal that nobody can catch (`SIGKILL`, `SIGSTOP`) or that
  ///   does not exist, or when the event loop cannot be started; `SocketError.invalid` when no signal is given.
  public init(_ signals: Signal...) throws(SocketError) {
    guard !signals.isEmpty else { throw .invalid("ProcessSignals needs at least one signal to wait for") }
    subscription = try SignalHub.shared().subscribe(to: signals)
  }

  /// An iterator. Several share the sequence's signals: each signal goes to one of them.
  public func makeAsyncIterator() -> Iterator { Iterator(subscription: subscription) }

  /// Waits for one signal at a time.
  public struct Iterator: AsyncIteratorProtocol {
    fileprivate let subscription: SignalSubscription

    /// The next signal; `nil` when the task is cancelled. The sequence never ends otherwise.
    public mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(Never) -> Signal? {
      await subscription.next()
    }
  }
}

/// What one `ProcessSignals` has received and not yet handed out.
final class SignalSubscription: Sendable {
  private struct State {
    var pending = SignalSet()
    var arrived = Latch()
  }

  let signals: SignalSet
  private let hub: SignalHub
  private let state = Lock(State())

  init(signals: SignalSet, hub: SignalHub) {
    self.signals = signals
    self.hub = hub
  }

  deinit {
    hub.unsubscribe(from: signals)
  }

  func receive(_ received: SignalSet) {
    let mine = received.intersection(signals)
    guard !mine.isEmpty else { return }
    let arrived = state.withLock { state in
      state.pending.formUnion(mine)
      return state.arrived
    }
    arrived.open()
  }

  func next() async -> ProcessSignals.Signal? {
    while true {
      let (signal, arrived) = state.withLock { state -> (Int32?, Latch) in
        if let signal = state.pending.removeFirst() { return (signal, state.arrived) }
        if state.arrived.isOpen { state.arrived = Latch() }
        return (nil, state.arrived)
      }
      if let signal { return ProcessSignals.Signal(rawValue: signal) }
      if case .cancelled = await arrived.wait(on: hub.loop) { return nil }
    }
  }
}
