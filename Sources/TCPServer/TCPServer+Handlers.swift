import AsyncSockets
import Framing

// Connections without tasks: a `ConnectionHandler` is called in place on the connection's loop.

extension TCPServer {
  /// Serves each connection by a copy of a synchronous handler, until the server is drained.
  ///
  /// ```swift
  /// struct Shout: ConnectionHandler {
  ///   func received(_ line: String, _ context: borrowing HandlerContext<LineFraming>) throws {
  ///     try context.send(line.uppercased())
  ///   }
  /// }
  /// try await server.run(handledBy: Shout(), framing: .lines)
  /// ```
  ///
  /// Limits, events, drain and everything else are those of `run(framing:_:)`; a handler takes less than a third of a
  /// task's memory, and can wait for nothing but its connection.
  ///
  /// - Throws: as `run(_:)`.
  @inlinable
  public func run<Handler: ConnectionHandler>(handledBy handler: Handler, framing: Handler.Codec) async throws
  {
    let reactions = Handler.reactions { [self] driver in ended(driver) }
    try await serveDriven { connection, place in
      try handler.driver(of: connection, framing: framing, number: place, reactions)
    }
  }

  /// Serves each connection by a copy of a handler of bytes, which are lent to it; see the general form.
  ///
  /// - Throws: as `run(_:)`.
  @inlinable
  public func run<Handler: ByteHandler>(handledBy handler: Handler, framing: RawFraming) async throws {
    let reactions = Handler.reactions { [self] driver in ended(driver) }
    try await serveDriven { connection, place in
      try handler.driver(of: connection, framing: framing, number: place, reactions)
    }
  }

  /// Serves connections that are admitted by synchronous handlers; see `run(framing:admitting:_:)`.
  ///
  /// - Parameters:
  ///   - admission: called once for each connection, in a task of its own, which ends with it.
  ///   - handler: makes the handler of a connection out of what its admission returned.
  ///   - framing: the codec.
  /// - Throws: as `run(_:)`.
  @inlinable
  public func run<Handler: ConnectionHandler, Context: Sendable>(
    admitting admission: @escaping @Sendable (inout Applicant) async throws -> Context,
    handledBy handler: @escaping @Sendable (Context) throws -> Handler, framing: Handler.Codec
  ) async throws {
    let reactions = Handler.reactions { [self] driver in ended(driver) }
    try await serveDriven(admission) { context, connection, place in
      try handler(context).driver(of: connection, framing: framing, number: place, reactions)
    }
  }

  /// Serves connections that are admitted by handlers of bytes, which are lent to them; see the general
  /// form.
  ///
  /// - Throws: as `run(_:)`.
  @inlinable
  public func run<Handler: ByteHandler, Context: Sendable>(
    admitting admission: @escaping @Sendable (inout Applicant) async throws -> Context,
    handledBy handler: @escaping @Sendable (Context) throws -> Handler, framing: RawFraming
  ) async throws {
    let reactions = Handler.reactions { [self] driver in ended(driver) }
    try await serveDriven(admission) { context, connection, place in
      try handler(context).driver(of: connection, framing: framing, number: place, reactions)
    }
  }

  /// Listens, and serves each connection by a copy of a synchronous handler; `bind` and `run` in one.
  @inlinable
  public static func serve<Handler: ConnectionHandler>(
    on address: SocketAddress, handledBy handler: Handler, framing: Handler.Codec,
    configuration: Configuration = Configuration()
  ) async throws {
    try await bind(on: address, configuration: configuration).run(handledBy: handler, framing: framing)
  }

  /// Listens, and serves each connection by a copy of a handler of bytes; `bind` and `run` in one.
  @inlinable
  public static func serve<Handler: ByteHandler>(
    on address: SocketAddress, handledBy handler: Handler, framing: RawFraming,
    configuration: Configuration = Configuration()
  ) async throws {
    try await bind(on: address, configuration: configuration).run(handledBy: handler, framing: framing)
  }
}

extension TCPServer {
  @usableFromInline
  func serveDriven(
    _ make: @escaping @Sendable (Connection.Handle, Int) throws -> ConnectionDriver
  ) async throws {
    try await serveConnections(.open(.driver(make)))
  }

  @usableFromInline
  func serveDriven<Context: Sendable>(
    _ admission: @escaping @Sendable (inout Applicant) async throws -> Context,
    _ make: @escaping @Sendable (Context, Connection.Handle, Int) throws -> ConnectionDriver
  ) async throws {
    try await serveConnections(
      .admitting { connection in
        let context = try await self.admit(connection, admission)
        return .driver { try make(context, $0, $1) }
      })
  }
}
