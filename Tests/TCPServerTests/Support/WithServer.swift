import Framing
import Glibc
import Peers
import TCPServer

/// Runs `body` beside a server on a free port, which is shut down and has returned from `run` when this returns.
///
/// When `body` throws, the server is cancelled instead, so that a failure is not kept waiting by its clients.
func withServer<F: Framing, Result: Sendable>(
  on address: SocketAddress = .loopback(), framing: F,
  configuration: TCPServer.Configuration = TCPServer.Configuration(),
  handler: @escaping @Sendable (FramedConnection<F>) async throws -> Void,
  body: (TCPServer) async throws -> Result
) async throws -> Result {
  let server = try await TCPServer.bind(on: address, configuration: configuration)
  return try await withRunning(server, framing: framing, handler: handler, body: body)
}

/// The same for a server that is bound already.
func withRunning<F: Framing, Result: Sendable>(
  _ server: TCPServer, framing: F,
  handler: @escaping @Sendable (FramedConnection<F>) async throws -> Void,
  body: (TCPServer) async throws -> Result
) async throws -> Result {
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await server.run(framing: framing, handler) }
    let result = try await body(server)
    // Not `drain`, which would forbid a `run` that has not begun yet.
    server.beginDrain()
    try await group.waitForAll()
    return result
  }
}

/// What most tests want of a handler: every line comes back as it is.
@Sendable
func echo<F: Framing>(_ connection: FramedConnection<F>) async throws
where F.Decoder.Frame == F.Encoder.Frame {
  for try await frame in connection.inbound { try await connection.send(frame) }
}

extension TCPServer {
  /// The port of its first address.
  var port: UInt16 { address.port ?? 0 }

  /// A client of it.
  func connect(receiveBuffer: Int32? = nil, patience: Duration = defaultPatience) async throws -> BlockingPeer
  {
    try await onThread { [port, host = address.host] in
      try .connect(port: port, host: host, receiveBuffer: receiveBuffer, patience: patience)
    }
  }

  /// So many clients of it, connected one after the other.
  func connect(count: Int) async throws -> [BlockingPeer] {
    try await onThread { [port, host = address.host] in
      try (0..<count).map { _ in try .connect(port: port, host: host) }
    }
  }
}

extension BlockingPeer {
  /// Sends a line and receives one.
  func ask(_ line: String) async throws -> String {
    try await onThread { [self] in
      try send(line + "\n")
      return try receiveLine()
    }
  }
}

/// Whether a connection to that address is refused now.
func isRefused(_ address: SocketAddress) async throws -> Bool {
  try await onThread {
    do {
      try BlockingPeer.connect(port: address.port ?? 0, host: address.host).close()
      return false
    } catch PeerError.failed(_, ECONNREFUSED) {
      return true
    } catch PeerError.failed(_, ECONNRESET) {
      // The listener closed with it in the queue: it came just before.
      return false
    }
  }
}

/// Waits until connections to that address are refused.
func untilRefused(_ address: SocketAddress) async throws {
  while try await !isRefused(address) {}
}

extension SocketAddress {
  /// A loopback address whose ports nobody else uses: for tests that leave a port and want it back, or see that
  /// nobody listens there any more.
  static func ownLoopback() throws -> SocketAddress {
    let part = { Int.random(in: 1...254) }
    return try SocketAddress(host: "127.\(part()).\(part()).\(part())", port: 0)
  }
}
