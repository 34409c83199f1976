public import AsyncSockets

extension MultiClient {
  /// What became of one target, and what its handler has made of it.
  public struct Outcome: Sendable {
    /// The name that it had from the beginning.
    public let id: ConnectionID
    /// As it was given.
    public let target: Target
    /// Its end.
    public let result: TargetResult
    /// The handler that was given for the target, as its last callback left it.
    public let handler: Handler
    /// What it was connected to; `nil` when it was not.
    public let peerAddress: SocketAddress?
    /// What was moved.
    public let counters: Connection.Counters
    /// How many frames its handler was given.
    public let framesReceived: UInt64
    /// From the beginning of the attempt that succeeded to the connection; `nil` when none did.
    public let connectLatency: Duration?
    /// From the beginning of the first attempt to the outcome; zero when there was none.
    public let duration: Duration
  }

  /// The outcomes of a run, or of what `connect` adds, each of them once.
  ///
  /// Several tasks that iterate share them. At most 1,024 wait to be taken (`Configuration.outcomeBacklog`), and as many
  /// more as are open; then no more targets are begun, and nothing is lost.
  public struct Outcomes: AsyncSequence, Sendable {
    /// What became of one target.
    public typealias Element = Outcome

    let source: ElementSource<Outcome>

    /// An iterator; several share the outcomes.
    public func makeAsyncIterator() -> Iterator { Iterator(source: source) }

    /// Takes one outcome at a time.
    public struct Iterator: AsyncIteratorProtocol {
      let source: ElementSource<Outcome>

      /// The next outcome, in the order in which they came; `nil` when no target is left.
      ///
      /// When its task is cancelled, nothing more begins, the connections flush for at most a second and are reset, and
      /// the outcomes of all that had been drawn or added still come, `TargetResult.cancelled`.
      public mutating func next(isolation actor: isolated (any Actor)? = #isolation) async -> Outcome? {
        await source.next()
      }
    }
  }
}

/// Where the elements of a sequence come from, and what ends it.
final class ElementSource<Element: Sendable>: Sendable {
  private let mailbox: Mailbox<Element>
  private let cancel: @Sendable () -> Void
  private let drop: @Sendable () -> Void
  /// What has to live as long.
  private let kept: any Sendable

  /// - Parameters:
  ///   - cancel: called when a task is cancelled that takes elements.
  ///   - drop: called when nobody can take any more.
  init(
    _ mailbox: Mailbox<Element>, keeping kept: any Sendable, cancel: @escaping @Sendable () -> Void,
    drop: @escaping @Sendable () -> Void = {}
  ) {
    self.mailbox = mailbox
    self.kept = kept
    self.cancel = cancel
    self.drop = drop
  }

  deinit { drop() }

  func next() async -> Element? {
    await withTaskCancellationHandler {
      await mailbox.next()
    } onCancel: {
      cancel()
    }
  }
}

/// A client lives as long as somebody has one of these.
final class Lease: Sendable {
  private let end: @Sendable () -> Void

  init(_ end: @escaping @Sendable () -> Void) { self.end = end }

  deinit { end() }
}
