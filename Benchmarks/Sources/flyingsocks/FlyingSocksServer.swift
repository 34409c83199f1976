import FlyingSocks
import Foundation
import Glibc
import ServerArguments

/// FlyingSocks with its stock pool, after `HTTPServer` of its own repository.
@main
struct FlyingSocksServer {
  static func main() async throws {
    let arguments = ServerArguments()
    let socket = try Socket(domain: Int32(sa_family_t(AF_INET)))
    try socket.setValue(true, for: .localAddressReuse)
    try socket.bind(to: try .inet(ip4: "127.0.0.1", port: UInt16(arguments.port)))
    try socket.listen()

    let pool: some AsyncSocketPool = .make()
    try await pool.prepare()
    guard case .ip4(_, let port) = try socket.sockname() else { return }
    arguments.announce(port: Int(port))

    let listener = try AsyncSocket(socket: socket, pool: pool)
    try await withThrowingTaskGroup { group in
      group.addTask { try await pool.run() }
      group.addTask {
        try await withThrowingDiscardingTaskGroup { connections in
          for try await connection in listener.sockets {
            connections.addTask {
              // An error ends its own connection only; the end of the input is one.
              try? connection.socket.setValue(true, for: noDelay)
              try? await serve(connection, arguments.mode)
              try? connection.close()
            }
          }
        }
      }
      try await group.next()
    }
  }

  /// Without it, replies of more than one write wait 40 ms for the peer's delayed acknowledgement.
  static var noDelay: BoolSocketOption { .init(level: Int32(IPPROTO_TCP), name: TCP_NODELAY) }

  static func serve(_ connection: AsyncSocket, _ mode: ServerArguments.Mode) async throws {
    switch mode {
    case .chunk:
      while true {
        try await connection.write(Data(connection.read(atMost: 4096)))
      }
    case .chunkDeadline, .chunkTwoLoops, .chunkReusePort, .lineLimits, .fanout:
      fatalError("no mode of this server")
    case .line:
      try await forEachLine(connection) { line in
        Data("\(String(decoding: line, as: UTF8.self))\n".utf8)
      }
    case .lineBytes:
      try await forEachLine(connection) { line in
        Data(line) + CollectionOfOne(UInt8(ascii: "\n"))
      }
    case .block:
      fatalError("FlyingSocks knows nothing of blocks; Harness/systems.py leaves it out")
    case .sink:
      var total = 0
      do {
        while true {
          total += try await connection.read(atMost: 4096).count
        }
      } catch SocketError.disconnected {
        try await connection.write(Data("\(total)\n".utf8))
      }
    }
  }

  /// FlyingSocks has no line reader: its HTTP server collects single bytes, which would be unfair.
  static func forEachLine(
    _ connection: AsyncSocket, reply: (ArraySlice<UInt8>) -> Data
  ) async throws {
    var buffer: [UInt8] = []
    while true {
      buffer += try await connection.read(atMost: 4096)
      while let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
        let line = buffer[..<end]
        try await connection.write(reply(line.last == UInt8(ascii: "\r") ? line.dropLast() : line))
        buffer.removeFirst(end + 1)
      }
    }
  }
}
