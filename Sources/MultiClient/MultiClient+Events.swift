public import AsyncSockets
public import Framing

// The same as a sequence, for who prefers a loop to callbacks.

extension MultiClient {
  /// A client whose connections are one sequence of events.
  ///
  /// ```swift
  /// let client = MultiClient(framing: .lines, atMost: 100)
  /// for target in targets { try await client.connect(to: target) }
  /// client.finish()
  ///
  /// for await event in client.events {
  ///   switch event {
  ///   case .connected(let id, _): try await client.send("hello", to: id)
  ///   case .received(let id, let line):
  ///     print(id, line)
  ///     await client.close(id)
  ///   case .ended(let outcome): print(outcome.target, outcome.result)
  ///   default: break
  ///   }
  /// }
  /// ```
  ///
  /// Stops the program if this process cannot start its first event loop, which `init(framing:configuration:)` throws.
  @inlinable
  public init<Codec: Framing>(framing: Codec, atMost window: Int = 100) where Handler == EventHandler<Codec> {
    self.init(eventsOf: framing, ClientPlan(atMost: window)) { Handler.reactions(notedBy: $0, ended: $1) }
  }

  /// A client whose connections are one sequence of events; see `init(framing:configuration:environment:)`.
  @inlinable
  public init<Codec: Framing>(
    framing: Codec, configuration: MultiClientConfiguration, environment: Environment = .current
  ) throws(SocketError) where Handler == EventHandler<Codec> {
    self.init(eventsOf: framing, try ClientPlan(configuration, environment)) {
      Handler.reactions(notedBy: $0, ended: $1)
    }
  }

  @usableFromInline
  init<Codec: Framing>(
    eventsOf framing: Codec, _ plan: ClientPlan, reactions: @escaping Roster.ReactionMaker
  ) where Handler == EventHandler<Codec> {
    let inbox = EventInbox<Codec>(capacity: max(1, plan.configuration.outcomeBacklog))
    var plan = plan
    plan.configuration.onNotice = { [onNotice = plan.configuration.onNotice] notice in
      onNotice?(notice)
      inbox.mailbox.post(EventInbox.Item(event: .notice(notice), connection: nil))
    }
    self.init(
      core: ClientCore(plan, framing, into: inbox, reactions: reactions), mailbox: Mailbox(capacity: 1))
  }

  /// Adds a target, which begins when there is room for it.
  ///
  /// - Parameters:
  ///   - target: where to.
  ///   - localAddress: from where; the client's `sources` by default.
  ///   - timeouts: its own; by default those of the limits.
  /// - Returns: its name, for as long as it has no outcome.
  /// - Throws: `SocketError.invalid` for time-outs that cannot work, or sixteen million targets at once.
  @discardableResult
  public func connect<Codec: Framing>(
    to target: Target, from localAddress: SocketAddress? = nil, timeouts: Timeouts? = nil
  ) throws(SocketError) -> ConnectionID where Handler == EventHandler<Codec> {
    try timeouts?.validate()
    let inbox = core.added.inbox as? EventInbox<Codec> ?? EventInbox(capacity: 1)
    return try core.connect(to: target, from: localAddress, timeouts: timeouts) { target, id in
      EventHandler(id, target, inbox)
    }
  }

  /// Adds an address as a target.
  @discardableResult
  public func connect<Codec: Framing>(
    to address: SocketAddress, from localAddress: SocketAddress? = nil, timeouts: Timeouts? = nil
  ) throws(SocketError) -> ConnectionID where Handler == EventHandler<Codec> {
    try connect(to: .address(address), from: localAddress, timeouts: timeouts)
  }
}

extension MultiClient where Handler: EventfulHandler {
  /// What happens to all its connections, in order; several tasks that iterate share it.
  public nonisolated var events: ClientEvents<Handler.Codec> {
    // Whoever has made the client otherwise has no handlers to give it, so that nothing happens.
    let inbox = core.added.inbox as? EventInbox<Handler.Codec> ?? EventInbox(capacity: 1)
    return ClientEvents(
      source: ElementSource(inbox.mailbox, keeping: lease) { [core] in
        core.post { $0.end($0.added, .cancel) }
      })
  }
}
