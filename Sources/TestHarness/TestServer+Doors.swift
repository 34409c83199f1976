import AsyncSockets
import Framing
import TCPServer

// What becomes of those who want to connect. Whoever is connected notices nothing, except of `restart`. Once the server's
// end has begun, each of these throws ``ExpectationFailure``.

extension TestServer {
  /// What stands at the port.
  enum Door: Sendable {
    /// Nobody: attempts are refused.
    case closed
    case open(TCPServer, [Listener])
    case paused(TCPServer, [Listener])
    case blackHole(BlackHole)
  }

  /// Takes no more clients: whoever connects from now on waits in the kernel's queue, and is served after `resume()`.
  ///
  /// - Throws: `SocketError.invalid` when it does not listen.
  public func pauseAccepting() async throws {
    try await doorTurns.withTurn(on: loop) {
      try checkIsServing()
      switch door.withLock({ $0 }) {
      case .open(let server, let listeners):
        await server.pauseAccepting()
        door.withLock { $0 = .paused(server, listeners) }
      case .paused: break
      case .closed, .blackHole:
        throw SocketError.invalid("a test server that does not listen cannot pause; resume() it first")
      }
    }
  }

  /// Refuses connections (`ECONNREFUSED`) until `resume()`. Who has connected before is served, unless the server was
  /// paused: those who wait in its queue are reset.
  public func refuse() async throws {
    try await doorTurns.withTurn(on: loop) {
      try checkIsServing()
      await closeDoor()
    }
  }

  /// Answers no attempt to connect until `resume()`: the kernel drops them, as it does when a listener's queue is full, and
  /// they end by their own time-outs. An attempt under way at `resume()` is answered when it is repeated, within seconds.
  ///
  /// - Throws: `SocketError`.
  public func blackHole() async throws {
    try await doorTurns.withTurn(on: loop) {
      try checkIsServing()
      await closeDoor()
      let hole = try await BlackHole(at: addresses, on: loop, environment: environment)
      door.withLock { $0 = .blackHole(hole) }
    }
  }

  /// Takes clients again, whatever kept the server from it; first those who wait. Does nothing if it takes them already.
  ///
  /// - Throws: `SocketError` with the errno and the address when it cannot listen.
  public func resume() async throws {
    try await doorTurns.withTurn(on: loop) {
      try checkIsServing()
      switch door.withLock({ $0 }) {
      case .open(let server, let listeners):
        if server.isListening { break }
        for listener in listeners { listener.close() }
        try listen()
      case .paused(let server, let listeners):
        server.resumeAccepting()
        door.withLock { $0 = .open(server, listeners) }
      case .closed: try listen()
      case .blackHole(let hole):
        hole.close()
        try await closing { try listen() }
      }
    }
  }

  /// Ends as a process does that is killed, and begins anew on the same port: connections are reset, also those that wait
  /// in the queue. To be called again if it fails, and after a listener has failed.
  ///
  /// - Throws: `SocketError` with the errno and the address when it cannot listen; then connections are refused.
  public func restart() async throws {
    try await doorTurns.withTurn(on: loop) {
      try checkIsServing()
      closeListeners()
      await closeDoor()
      for peer in roster.current { peer.terminate() }
      try await closing { try listen() }
    }
  }

  /// The kernel may need the loop's next turn to let a closed listener's address go.
  private func closing(_ body: () throws -> Void) async throws {
    await loop.nextTurn()
    try body()
  }

  // MARK: In steps

  func open() async throws {
    switch behaviour.door {
    case .open: try await resume()
    case .refusing: break
    case .blackHole: try await blackHole()
    }
  }

  private func listen() throws {
    door.withLock { $0 = .closed }
    try checkIsServing()
    var configuration = TCPServer.Configuration()
    configuration.connection = self.configuration
    configuration.onEvent = { [log] in
      if case .listenerFailed(let error) = $0 { log.append(.listenerFailed(error)) }
    }
    let listeners = try Listener.bind(
      to: addresses, on: loop, socketOptions: self.configuration.socketOptions)
    let server = try TCPServer(listeners: listeners, configuration: configuration, environment: environment)
    door.withLock { $0 = .open(server, listeners) }
    log.append(.listening(addresses))
    if !runs.add(server) {
      closeListeners()
      throw CancellationError()
    }
  }

  /// Whoever waits to be accepted is, unless the server has paused.
  func closeDoor() async {
    let was = door.withLock { door in
      defer { door = .closed }
      return door
    }
    switch was {
    case .closed: break
    case .open(let server, _): await server.closeListeners()
    case .paused(let server, let listeners):
      for listener in listeners { listener.close() }
      await server.closeListeners()
    case .blackHole(let hole): hole.close()
    }
  }

  /// At once, and whoever waits to be accepted is reset.
  func closeListeners() {
    switch door.withLock({ $0 }) {
    case .open(_, let listeners), .paused(_, let listeners): for listener in listeners { listener.close() }
    case .blackHole(let hole): hole.close()
    case .closed: break
    }
  }
}
