@_exported public import AsyncSockets
@_exported public import Framing

/// Thousands of connections in one actor: targets in, one outcome each out, and a handler of yours for every one.
///
/// ```swift
/// struct Banner: ConnectionHandler {
///   var line: String?
///
///   mutating func received(_ line: String, _ context: borrowing HandlerContext<LineFraming>) {
///     self.line = line
///     context.close()
///   }
/// }
///
/// for await outcome in MultiClient<Banner>(framing: .lines, atMost: 100).run(targets, { _ in Banner() }) {
///   print(outcome.target, outcome.result, outcome.handler.line ?? "-")
/// }
/// ```
///
/// It lives on one event loop, whose callbacks do everything: a connection has no task and no lock of its own. All
/// connections end when nobody has the client, or a sequence of its, any more. Several cores: `MultiClientGroup`.
public actor MultiClient<Handler: ConnectionHandler> {
  nonisolated let core: ClientCore<Handler>
  nonisolated let lease: Lease
  nonisolated let mailbox: Mailbox<Outcome>

  /// A client with a window of connections, and every other value as it is by default.
  ///
  /// - Parameters:
  ///   - framing: what cuts the streams into frames.
  ///   - window: how many connections there are at once; a number that cannot work is the error of every target.
  ///
  /// Stops the program if this process cannot start its first event loop, which `init(framing:configuration:)` throws.
  @inlinable
  public init(framing: Handler.Codec, atMost window: Int = 100) {
    self.init(framing, ClientPlan(atMost: window)) { Handler.reactions(notedBy: $0, ended: $1) }
  }

  /// A client.
  ///
  /// - Parameters:
  ///   - framing: what cuts the streams into frames.
  ///   - configuration: limits, time-outs, sources, the hook for notices; every value has a default.
  ///   - environment: the event loops and the resolver; the current task's by default. It lives on the loop that the
  ///     caller runs on, if it is one of those, else on the next of them in turn.
  /// - Throws: `SocketError.invalid` for a value that cannot work, `.failed` when the shared loops cannot be started.
  @inlinable
  public init(
    framing: Handler.Codec, configuration: MultiClientConfiguration, environment: Environment = .current
  ) throws(SocketError) {
    self.init(framing, try ClientPlan(configuration, environment)) {
      Handler.reactions(notedBy: $0, ended: $1)
    }
  }

  @usableFromInline
  init(_ framing: Handler.Codec, _ plan: ClientPlan, reactions: @escaping Roster.ReactionMaker) {
    let mailbox = plan.configuration.mailbox(of: Outcome.self)
    self.init(core: ClientCore(plan, framing, into: mailbox, reactions: reactions), mailbox: mailbox)
  }

  /// - Parameter mailbox: where outcomes are taken from, if they go there.
  init(core: ClientCore<Handler>, mailbox: Mailbox<Outcome>) {
    self.core = core
    self.mailbox = mailbox
    lease = Lease {
      core.added.inbox.close()
      core.post { $0.endAll(.cancel) }
    }
  }

  /// The loop that it lives on: what awaits the client there does not leave it.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe core.loop.unownedExecutor }

  /// The loop that it lives on.
  public nonisolated var loop: EventLoop { core.loop }
}

extension MultiClient where Handler: ByteHandler {
  /// A client whose handlers are lent their bytes; see the general form.
  @inlinable
  public init(framing: RawFraming, atMost window: Int = 100) {
    self.init(framing, ClientPlan(atMost: window)) { Handler.reactions(notedBy: $0, ended: $1) }
  }

  /// A client whose handlers are lent their bytes; see the general form.
  ///
  /// - Throws: as the general form.
  @inlinable
  public init(
    framing: RawFraming, configuration: MultiClientConfiguration, environment: Environment = .current
  ) throws(SocketError) {
    self.init(framing, try ClientPlan(configuration, environment)) {
      Handler.reactions(notedBy: $0, ended: $1)
    }
  }
}
