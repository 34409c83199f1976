import AsyncSockets

/// Both ends of connections, made by the library itself: one connects, the other is accepted.
struct Pair: Sendable {
  let ours: Connection
  let theirs: Connection

  /// Pairs over one kind of socket.
  struct Source: Sendable {
    private let listener: Listener
    private let loop: EventLoop

    init(_ address: SocketAddress, on loop: EventLoop) throws {
      listener = try Listener.bind(to: address, on: loop)
      self.loop = loop
    }

    func next(options: ConnectionOptions = ConnectionOptions()) async throws -> Pair {
      var connector = Connector()
      connector.options = options
      let ours = try await connector.connect(to: listener.address)
      return Pair(ours: ours, theirs: try await listener.accept(on: loop))
    }

    func close() { listener.close() }
  }

  /// After an end of which the test knows the outcome already.
  func abort() {
    ours.abort()
    theirs.abort()
  }
}
