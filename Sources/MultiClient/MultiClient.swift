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
  private nonisolated let mailbox: Mailbox<Outcome>
  /// Numbers the runs.
  private nonisolated let runs = Lock(0)

  /// A client with a window of connections, and every other value as it is by default.
  ///
  /// - Parameters:
  ///   - framing: what cuts the streams into frames.
  ///   - window: how many connections there are at once; a number that cannot work is the error of every target.
  ///
  /// Stops the program if this process cannot start its first event loop, which `init(framing:configuration:)` throws.
  public init(framing: Handler.Codec, atMost window: Int = 100) {
    var configuration = MultiClientConfiguration()
    configuration.limits.open = window
    let (loop, environment): (EventLoop, Environment)
    do throws(SocketError) {
      environment = .current
      loop = try environment.loops.here()
    } catch {
      preconditionFailure("an event loop cannot be started: \(error)")
    }
    var defect: SocketError?
    do throws(SocketError) { try configuration.validate() } catch { defect = error }
    self.init(
      framing: framing, configuration: configuration, loop: loop, resolver: environment.resolver,
      defect: defect)
  }

  /// A client.
  ///
  /// - Parameters:
  ///   - framing: what cuts the streams into frames.
  ///   - configuration: limits, time-outs, sources, the hook for notices; every value has a default.
  ///   - environment: the event loops and the resolver; the current task's by default. It lives on the loop that the
  ///     caller runs on, if it is one of those, else on the next of them in turn.
  /// - Throws: `SocketError.invalid` for a value that cannot work, `.failed` when the shared loops cannot be started.
  public init(
    framing: Handler.Codec, configuration: MultiClientConfiguration, environment: Environment = .current
  ) throws(SocketError) {
    try configuration.validate()
    self.init(
      framing: framing, configuration: configuration, loop: try environment.loops.here(),
      resolver: environment.resolver, defect: nil)
  }

  private init(
    framing: Handler.Codec, configuration: MultiClientConfiguration, loop: EventLoop,
    resolver: any Resolver, defect: SocketError?
  ) {
    let mailbox = Mailbox<Outcome>(capacity: max(1, configuration.outcomeBacklog))
    self.init(
      core: ClientCore(
        on: loop, framing: framing, configuration: configuration, defect: defect, resolver: resolver,
        inbox: mailbox),
      mailbox: mailbox)
  }

  init(core: ClientCore<Handler>, mailbox: Mailbox<Outcome>) {
    self.core = core
    self.mailbox = mailbox
    lease = Lease { core.post { $0.endAll(.cancel) } }
  }

  /// The loop that it lives on: what awaits the client there does not leave it.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe core.loop.unownedExecutor }

  /// The loop that it lives on.
  public nonisolated var loop: EventLoop { core.loop }

  // MARK: Targets in, outcomes out

  /// Connects to each target, has a handler run the connection, and tells what became of it.
  ///
  /// Targets are drawn on the loop, as there is room for them. More can be added meanwhile, by `connect`; the sequence
  /// ends when none is left.
  ///
  /// - Parameters:
  ///   - targets: where to connect to.
  ///   - handler: makes the handler of a target, before it is connected to: every callback sees it, `closed` also when
  ///     the attempt fails, and the outcome gives it back.
  /// - Returns: exactly one outcome for each target that was drawn, in the order in which they end. When it is left, by
  ///   `break` or an error, everything is cancelled; a task that is cancelled still gets the outcomes.
  public nonisolated func run(
    _ targets: some Sequence<Target> & Sendable, _ handler: @escaping @Sendable (Target) -> Handler
  ) -> Outcomes {
    run { core, number in
      var iterator = targets.makeIterator()
      core.run(TargetSource { iterator.next().map { ($0, handler($0)) } }, number: number)
    }
  }

  /// The same for addresses.
  public nonisolated func run(
    _ addresses: some Sequence<SocketAddress> & Sendable, _ handler: @escaping @Sendable (Target) -> Handler
  ) -> Outcomes {
    run(addresses.lazy.map { .address($0) }, handler)
  }

  /// The same for targets that come as time goes by; a few are drawn ahead.
  public nonisolated func run<Targets: AsyncSequence & Sendable>(
    _ targets: Targets, _ handler: @escaping @Sendable (Target) -> Handler
  ) -> Outcomes where Targets.Element == Target, Targets.Failure == Never {
    run { core, number in core.run(targets, number: number, handler) }
  }

  private nonisolated func run(
    _ begin: @escaping @Sendable (ClientCore<Handler>, _ number: Int) -> Void
  ) -> Outcomes {
    let number = runs.withLock { runs in
      runs += 1
      return runs
    }
    mailbox.enter()
    core.post { begin($0, number) }
    return outcomes { core in core.drop(number) }
  }

  /// The outcomes of targets that are added by `connect`, without an end until `finish()`.
  public nonisolated var outcomes: Outcomes { outcomes { _ in } }

  private nonisolated func outcomes(
    _ drop: @escaping @Sendable (ClientCore<Handler>) -> Void
  ) -> Outcomes {
    Outcomes(
      source: ElementSource(mailbox, keeping: lease) { [core] in
        core.post { $0.endAll(.cancel) }
      } drop: { [core] in
        core.post(drop)
      })
  }
}
