import AsyncSockets
import Framing

extension TCPServer {
  /// A connection that asks to be served.
  ///
  /// It holds one of the places of `Limits.connections` meanwhile, nothing of it has been read, and others are admitted
  /// beside it.
  public struct Applicant: Sendable {
    /// Its address; `nil` when it had gone before it could be asked.
    public let peerAddress: SocketAddress?
    /// To which of the server's addresses it came.
    public let localAddress: SocketAddress?
    /// Who is at the other end of a Unix socket; `nil` for TCP.
    public let credentials: PeerCredentials?

    /// What events call the connection beside its address.
    public var tag: String?

    /// Options for this connection; those of the server at first. Once changed they are its own: it does not follow
    /// when the limits of the server change.
    public var options: ConnectionOptions

    var wrap: (@Sendable (any Transport) throws -> any Transport)?

    /// Has the connection go on over a transport of its own from its first byte on, such as TLS; what that throws
    /// refuses it. See `Connection.upgrade(_:)`.
    public mutating func upgrade(_ wrap: @escaping @Sendable (_ lower: any Transport) throws -> any Transport)
    {
      self.wrap = wrap
    }
  }

  /// Serves connections of raw bytes that are admitted; see `run(framing:admitting:_:)`.
  public func run<Context: Sendable>(
    admitting admission: @escaping @Sendable (inout Applicant) async throws -> Context,
    _ handler: @escaping @Sendable (Connection, Context) async throws -> Void
  ) async throws {
    try await serveConnections(
      .admitting { connection in
        let context = try await self.admit(connection, admission)
        return .task { try await handler($0, context) }
      })
  }

  /// Serves connections of frames that are admitted, until the server is shut down.
  ///
  /// ```swift
  /// try await server.run(framing: .lines, admitting: { applicant in
  ///   guard let user = await users.find(applicant.peerAddress) else {
  ///     throw TCPServer.Refusal.goodbye("I do not know you\n")
  ///   }
  ///   applicant.tag = user.name
  ///   return user
  /// }) { connection, user in
  ///   try await connection.send("hello \(user.name)")
  /// }
  /// ```
  ///
  /// - Parameters:
  ///   - framing: the codec.
  ///   - admission: called once for each connection, in its child task, and handed on what it returns. It refuses by
  ///     throwing a `Refusal`; any other error resets the connection. It may take `Limits.admission`, is cancelled
  ///     then, and has to react to that: the place of the connection is free again when it has returned. A connection
  ///     that its peer has reset meanwhile is not handed on. What it refuses is the event `refused`.
  ///   - handler: called with each connection that was admitted, as by `run(framing:_:)`.
  /// - Throws: as `run(_:)`.
  public func run<F: Framing, Context: Sendable>(
    framing: F, admitting admission: @escaping @Sendable (inout Applicant) async throws -> Context,
    _ handler: @escaping @Sendable (FramedConnection<F>, Context) async throws -> Void
  ) async throws {
    try await run(admitting: admission) { try await handler($0.framed(framing), $1) }
  }
}

// MARK: - What becomes of an applicant

extension TCPServer {
  /// What the admission has made of a connection.
  func admit<Context: Sendable>(
    _ connection: Connection, _ admission: @Sendable (inout Applicant) async throws -> Context
  ) async throws -> Context {
    let options = entrance.terms.options
    var applicant = Applicant(
      peerAddress: connection.peerAddress, localAddress: connection.localAddress,
      credentials: try? connection.peerCredentials(), options: options)
    let deadline = limits.admission.map { Deadline.after($0) } ?? .never
    let context = try await withDeadline(deadline, on: connection.loop, operation: Self.admissionName) {
      try await admission(&applicant)
    }
    try applicant.options.validate()
    let hasOwnOptions = applicant.options != options
    if hasOwnOptions || applicant.tag != nil {
      try connection.set(hasOwnOptions ? applicant.options : nil, tag: applicant.tag)
    }
    if let wrap = applicant.wrap { try await connection.upgrade(wrap) }
    return context
  }

  private static var admissionName: String { "admission" }

  /// Ends a connection that was not admitted, as the error says; answers the cause.
  func refuse(_ connection: Connection, _ error: any Error) async -> RefusalCause {
    if let refusal = error as? Refusal {
      if case .goodbye(let bytes) = refusal.manner {
        if !bytes.isEmpty {
          try? await withDeadline(.after(.seconds(1)), on: connection.loop) {
            try await connection.send(bytes)
          }
        }
        await connection.close(after: refusal, isCancellable: false)
      }
      connection.abort()
      return .admission(refusal)
    }
    connection.abort()
    if error is CancellationError, Task.isCancelled { return .cancelled }
    if error as? SocketError == .timedOut(operation: Self.admissionName) { return .admissionTimedOut }
    return .admissionFailed(error)
  }
}
