import AsyncSockets
public import Framing

/// What happens to the connections of a client that is read as a sequence of events.
public enum ClientEvent<Codec: Framing>: Sendable {
  /// A connection stands.
  case connected(ConnectionID, Target)
  /// A frame has arrived.
  case received(ConnectionID, Codec.Decoder.Frame)
  /// Output had reached its high mark, where `send` throws `SocketError.outputFull`; it has fallen to the low mark.
  case writable(ConnectionID)
  /// A target has its outcome: its last event.
  case ended(MultiClient<EventHandler<Codec>>.Outcome)
  /// What the client tells of itself.
  case notice(ClientNotice)
}

/// The events of a client, each of them once.
///
/// A connection of which an event has not been taken is not read: who is slow slows down the peers that talk, and nobody
/// else. Several tasks that iterate share the events.
public struct ClientEvents<Codec: Framing>: AsyncSequence, Sendable {
  /// What happens to a connection.
  public typealias Element = ClientEvent<Codec>

  let source: ElementSource<EventInbox<Codec>.Item>

  /// An iterator; several share the events.
  public func makeAsyncIterator() -> Iterator { Iterator(source: source) }

  /// Takes one event at a time.
  public struct Iterator: AsyncIteratorProtocol {
    let source: ElementSource<EventInbox<Codec>.Item>

    /// The next event; those of a connection are in their order. `nil` when no target is left and none will come: after
    /// `MultiClient.finish()`, `closeAll()`, `abortAll()`.
    ///
    /// When its task is cancelled, the client begins nothing more, its connections flush for at most a second and are
    /// reset, and the events of all that still come.
    public mutating func next(isolation actor: isolated (any Actor)? = #isolation) async -> ClientEvent<
      Codec
    >? {
      await source.next()?.event
    }
  }
}
