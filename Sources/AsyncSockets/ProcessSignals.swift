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
  /// A signal, by its number in signal(7); those that are used most have names, such as `.terminate` and `.user1`.
  public struct Signal: RawRepresentable, Hashable, Sendable {
    /// The number.
    public let rawValue: Int32

    /// The signal of that number.
    public init(rawValue: Int32) { self.rawValue = rawValue }
  }

  private let subscription: SignalSubscription

  /// Begins to receive signals.
  ///
  /// - Throws: `SocketError.invalid` for a signal that nobody can catch (`SIGKILL`, `SIGSTOP`) or that does not exist, and
  ///   when no signal is given; `.failed` when the event loop cannot be started.
  public init(_ signals: Signal...) throws(SocketError) {
    guard !signals.isEmpty else { throw .invalid("ProcessSignals needs at least one signal to wait for") }
    subscription = try SignalHub.shared().subscribe(to: signals)
  }

  /// An iterator. Several share the sequence's signals: each signal goes to one of them.
  public func makeAsyncIterator() -> Iterator { Iterator(subscription: subscription) }

  /// Waits for one signal at a time.
  public struct Iterator: AsyncIteratorProtocol {
    fileprivate let subscription: SignalSubscription

    /// The next signal; `nil` when the task is cancelled, or somebody has stopped the shared event loops. The sequence
    /// never ends otherwise.
    public mutating func next(
      isolation actor: (any Actor)? = #isolation
    ) async throws(Never) -> Signal? {
      await subscription.inbox.next(on: subscription.hub.loop)
    }
  }
}

/// The handle of a sequence: with the last of them, the hub forgets its signals.
final class SignalSubscription: Sendable {
  let inbox: SignalInbox
  let hub: SignalHub

  init(inbox: SignalInbox, hub: SignalHub) {
    self.inbox = inbox
    self.hub = hub
  }

  deinit {
    hub.unsubscribe(inbox)
  }
}
