public import AsyncSockets
public import Framing

/// A client on several cores: one `MultiClient` for each event loop, which share the targets, the window and the outcomes.
///
/// ```swift
/// let group = try MultiClientGroup<Banner>(framing: .lines, configuration: configuration)
/// for await outcome in group.run(targets, { _ in Banner() }) { … }
/// ```
///
/// A limit is that of all together: a window of 1,000 is 1,000 connections, on whichever loops they are, and a ramp of ten
/// a second begins ten a second.
public final class MultiClientGroup<Handler: ConnectionHandler>: Sendable {
  /// One for each loop.
  public let clients: [MultiClient<Handler>]

  /// Clients on all the environment's loops.
  ///
  /// - Parameters:
  ///   - framing: what cuts the streams into frames.
  ///   - configuration: of all of them together.
  ///   - environment: the event loops, at most 256 of which are used, and the resolver; the current task's by default.
  /// - Throws: `SocketError.invalid` for a value that cannot work, `.failed` when the shared loops cannot be started.
  @inlinable
  public convenience init(
    framing: Handler.Codec, configuration: MultiClientConfiguration = MultiClientConfiguration(),
    environment: Environment = .current
  ) throws(SocketError) {
    try self.init(framing: framing, configuration: configuration, environment: environment) {
      Handler.reactions(notedBy: $0, ended: $1)
    }
  }

  @usableFromInline
  init(
    framing: Handler.Codec, configuration: MultiClientConfiguration, environment: Environment,
    reactions: @escaping Roster.ReactionMaker
  ) throws(SocketError) {
    try configuration.validate()
    let loops = try environment.loops.loops.prefix(256)
    let gate = SharedGate(configuration.limits, isShared: loops.count > 1)
    clients = loops.enumerated().map { number, loop in
      let mailbox = configuration.mailbox(of: MultiClient<Handler>.Outcome.self)
      return MultiClient(
        core: ClientCore(
          ClientPlan(configuration, on: loop, resolver: environment.resolver), framing, into: mailbox,
          number: UInt8(number), gate: gate, reactions: reactions),
        mailbox: mailbox)
    }
  }

  /// Connects to each target, on one loop or another, and tells what became of it; see `MultiClient.run(_:_:)`.
  ///
  /// Targets are drawn on the first loop, and each loop is given more as it needs them.
  ///
  /// - Returns: exactly one outcome for each target that was drawn.
  public func run(
    _ targets: some Sequence<Target> & Sendable, _ handler: @escaping @Sendable (Target) -> Handler
  ) -> MultiClient<Handler>.Outcomes {
    run(handler) {
      var iterator = targets.makeIterator()
      return { iterator.next() }
    }
  }

  /// The same for addresses.
  public func run(
    _ addresses: some Sequence<SocketAddress> & Sendable, _ handler: @escaping @Sendable (Target) -> Handler
  ) -> MultiClient<Handler>.Outcomes {
    run(handler) {
      var iterator = addresses.makeIterator()
      return { iterator.next().map { .address($0) } }
    }
  }

  private func run(
    _ handler: @escaping @Sendable (Target) -> Handler, drawing begin: @escaping @Sendable () -> () -> Target?
  ) -> MultiClient<Handler>.Outcomes {
    let mailbox = clients[0].core.configuration.mailbox(of: MultiClient<Handler>.Outcome.self)
    let dealer = TargetDealer(
      clients.map { TargetDealer.Seat(core: $0.core, run: Run(into: mailbox)) }, handler)
    dealer.begin(begin)
    return MultiClient.Outcomes(
      source: ElementSource(mailbox, keeping: clients) {
        dealer.end()
      } drop: {
        mailbox.close()
        dealer.end()
      })
  }

  /// The client that a connection is one of; `nil` for a name of another group.
  public func client(of id: ConnectionID) -> MultiClient<Handler>? {
    clients.indices.contains(id.client) ? clients[id.client] : nil
  }

  /// The limits of all together, which can be changed at any time; see `MultiClient.limits`.
  public var limits: MultiClientLimits {
    get { clients[0].limits }
    set { clients[0].limits = newValue }
  }

  /// What all of them are doing now, and have done.
  public var statistics: ClientStatistics {
    get async {
      var statistics = ClientStatistics()
      for client in clients { statistics.merge(await client.statistics) }
      return statistics
    }
  }

  /// The statistics of all at every interval, to the end; see `MultiClient.statistics(every:)`.
  public func statistics(every interval: Duration) -> StatisticsSnapshots {
    StatisticsSnapshots(loop: clients[0].loop, interval: max(interval, .milliseconds(1))) { [self] in
      var isOver = true
      // Asked before, so that the last snapshot has it all.
      for client in clients where await !client.isOver { isOver = false }
      return (await statistics, isOver)
    }
  }

  /// Begins nothing more, closes all that are open in good order, and cancels the others; the outcomes end then.
  public func closeAll() { for client in clients { client.closeAll() } }

  /// Begins nothing more, and resets all; the outcomes end then.
  public func abortAll() { for client in clients { client.abortAll() } }
}

extension MultiClientGroup where Handler: ByteHandler {
  /// Clients whose handlers are lent their bytes; see the general form.
  ///
  /// - Throws: as the general form.
  @inlinable
  public convenience init(
    framing: RawFraming, configuration: MultiClientConfiguration = MultiClientConfiguration(),
    environment: Environment = .current
  ) throws(SocketError) {
    try self.init(framing: framing, configuration: configuration, environment: environment) {
      Handler.reactions(notedBy: $0, ended: $1)
    }
  }
}
