@_exported public import AsyncSockets
@_exported public import Framing

/// A server: it listens, and hands each connection to a child task of its own on an event loop.
///
/// ```swift
/// try await TCPServer.serve(on: .loopback(port: 12345), framing: LineFraming()) { connection in
///   for try await line in connection.inbound { try await connection.send(line) }
/// }
/// ```
///
/// A connection lives as long as its handler: leaving it normally closes in good order, leaving it by an error
/// ends that one connection and nothing else.
public final class TCPServer: Sendable {
  /// The addresses it listens on, in the order given, with the ports that the system chose.
  public let addresses: [SocketAddress]
  /// The values it was bound with; its limits may have changed since.
  public let configuration: Configuration

  let listeners: [Listener]
  let loops: EventLoopGroup
  let entrance: Entrance
  let roster = Roster()
  let reserve: ReserveDescriptor?

  private init(listeners: [Listener], loops: EventLoopGroup, configuration: Configuration) {
    addresses = listeners.map(\.address)
    self.listeners = listeners
    self.loops = loops
    self.configuration = configuration
    entrance = Entrance(configuration)
    reserve = configuration.shedsBacklog ? ReserveDescriptor(on: loops.loops[0]) : nil
  }

  /// Listens; returns when clients can connect.
  ///
  /// - Parameters:
  ///   - address: where to listen; port 0 lets the system choose one.
  ///   - more: further addresses of the same server; those with port 0 get the same one.
  ///   - configuration: limits and the event hook; every value has a default.
  ///   - environment: the event loops to work on; the current task's by default.
  /// - Throws: `SocketError` with the errno and the address when one of the addresses cannot be had (then none is
  ///   held), or when a value cannot work.
  public static func bind(
    on address: SocketAddress, _ more: SocketAddress..., configuration: Configuration = Configuration(),
    environment: Environment = .current
  ) async throws(SocketError) -> TCPServer {
    try configuration.validate()
    let loops = try environment.loops
    let listeners = try Listener.bind(
      to: [address] + more, on: loops.loops[0], backlog: configuration.backlog,
      socketOptions: configuration.connection.socketOptions)
    return TCPServer(listeners: listeners, loops: loops, configuration: configuration)
  }

  /// A server on listeners that exist already: adopted ones, or those of `SocketActivation`. It closes them when it
  /// stops.
  ///
  /// - Throws: `SocketError.invalid` for no listener, or for a value that cannot work.
  public convenience init(
    listeners: [Listener], configuration: Configuration = Configuration(),
    environment: Environment = .current
  ) throws(SocketError) {
    try configuration.validate()
    if listeners.isEmpty { throw .invalid("a server needs at least 1 listener, not 0") }
    self.init(listeners: listeners, loops: try environment.loops, configuration: configuration)
  }

  /// The first address it listens on.
  public var address: SocketAddress { addresses[0] }

  /// Connections that are being served now.
  public var connectionCount: Int { roster.count }

  /// Serves connections of raw bytes until the server is drained.
  ///
  /// - Parameter handler: called once for each connection, in a child task on one of the server's event loops.
  /// - Throws: `CancellationError` when cancelled: the hard stop, which cancels the handlers, aborts what does
  ///   not end within a second, and returns when nothing is left. `SocketError` when a listener can no longer
  ///   accept, or when the server has been run before.
  public func run(_ handler: @escaping @Sendable (Connection) async throws -> Void) async throws {
    try await serveConnections(.open(.task(handler)))
  }

  /// Serves connections of frames until the server is drained; see `run(_:)`.
  public func run<F: Framing>(
    framing: F, _ handler: @escaping @Sendable (FramedConnection<F>) async throws -> Void
  ) async throws {
    try await serveConnections(.open(.task { try await handler($0.framed(framing)) }))
  }

  /// Listens and serves connections of raw bytes; `bind` and `run` in one.
  public static func serve(
    on address: SocketAddress, configuration: Configuration = Configuration(),
    _ handler: @escaping @Sendable (Connection) async throws -> Void
  ) async throws {
    try await bind(on: address, configuration: configuration).run(handler)
  }

  /// Listens and serves connections of frames; `bind` and `run` in one.
  public static func serve<F: Framing>(
    on address: SocketAddress, framing: F, configuration: Configuration = Configuration(),
    _ handler: @escaping @Sendable (FramedConnection<F>) async throws -> Void
  ) async throws {
    try await bind(on: address, configuration: configuration).run(framing: framing, handler)
  }
}

// MARK: - Pausing

extension TCPServer {
  /// Stops taking connections, and keeps the listeners: whoever connects from now on waits in the kernel's queue, as
  /// many as `Configuration.backlog` allows, and is served after `resumeAccepting()`. Those who are being served notice
  /// nothing.
  ///
  /// When it returns, nobody more is accepted. A second call changes nothing; stopping or shutting down ends the
  /// pause, and who waits in the queue is served.
  public func pauseAccepting() async {
    entrance.pause()
    // An acceptor that has found room accepts in the same job.
    await loops.loops[0].nextTurn()
  }

  /// Takes connections again, those first that waited.
  public func resumeAccepting() { entrance.resume() }
}
