public import AsyncSockets
public import Framing

/// Connects to somebody's server, for a test that plays the client.
///
/// ```swift
/// try await withTestClient(to: .loopback(port: port), framing: .lines) { server in
///   try await server.expect("+OK ready")
///   try await server.send("QUIT")
///   try await server.expectEnd()
/// }
/// ```
///
/// When the body returns, the connection is closed in good order; when it throws, it is reset.
///
/// - Parameters:
///   - address: the server's.
///   - framing: how bytes become frames, and frames bytes.
///   - patience: how long connecting, and everything that is given no deadline of its own, waits; 5 s by default, by the
///     clock of the event loop.
///   - connection: limits and options of the connection.
///   - body: the test; it is handed the connection, whose other end is the server.
/// - Returns: what the body returns.
/// - Throws: `SocketError` when it cannot connect; what the body throws.
public func withTestClient<F: Framing, Result>(
  to address: SocketAddress, framing: F, patience: Duration = .seconds(5),
  connection options: ConnectionOptions = ConnectionOptions(),
  _ body: (TestPeer<F>) async throws -> Result
) async throws -> Result {
  try await withLoopsOfItsOwn { environment in
    var connector = Connector(environment: environment)
    connector.options = options
    connector.deadline = .after(patience)
    let connection = try await connector.connect(to: address)
    let info = ClientInfo(id: 0, peerAddress: address, localAddress: connection.localAddress)
    let core = PeerCore(connection, name: "server \(address)", info: info, patience: patience)
    do {
      let result = try await body(TestPeer(core, framing))
      await core.close()
      return result
    } catch {
      core.abort()
      throw error
    }
  }
}

/// Connects to somebody's server, for bytes as they come; see ``withTestClient(to:framing:patience:connection:_:)``.
public func withTestClient<Result>(
  to address: SocketAddress, patience: Duration = .seconds(5),
  connection options: ConnectionOptions = ConnectionOptions(),
  _ body: (TestPeer<RawFraming>) async throws -> Result
) async throws -> Result {
  try await withTestClient(
    to: address, framing: RawFraming(), patience: patience, connection: options, body)
}
