import ServerArguments
import TCPServer

/// This library as it is shipped: default limits, events and idle rule on.
@main
struct AsyncSocketsServer {
  static func main() async throws {
    let arguments = ServerArguments()
    if [.chunkTwoLoops, .chunkReusePort].contains(arguments.mode) {
      return try await TwoLoops(arguments).serve()
    }
    var configuration = TCPServer.Configuration()
    if arguments.mode == .lineLimits {
      configuration.limits = .public
      // All clients have one address, and come at once.
      configuration.limits.connectionsPerPeer = 100_000
      configuration.limits.acceptRate = AcceptRate(perSecond: 1_000_000)
      configuration.onEvent = { _ in }
    }
    let server = try await TCPServer.bind(
      on: .loopback(port: UInt16(arguments.port)), configuration: configuration,
      environment: Environment(loops: EventLoopGroup(count: 1)))
    arguments.announce(port: Int(server.address.port ?? 0))

    switch arguments.mode {
    case .chunk:
      try await server.run { connection in
        for try await chunk in connection.inbound {
          try await connection.send(chunk)
        }
      }
    case .chunkDeadline:
      try await server.run { connection in
        while let chunk = try await connection.read(deadline: .after(.seconds(30))) {
          try await connection.send(chunk)
        }
      }
    case .chunkTwoLoops, .chunkReusePort: break  // above
    case .line, .lineLimits:
      try await server.run(framing: LineFraming()) { connection in
        for try await line in connection.inbound {
          try await connection.send(line)
        }
      }
    case .lineBytes:
      try await server.run(framing: LineFraming().bytes) { connection in
        for try await line in connection.inbound {
          try await connection.send(line)
        }
      }
    case .block:
      try await server.run(framing: LengthPrefixFraming(.uint32)) { connection in
        for try await block in connection.inbound {
          try await connection.send(block)
        }
      }
    case .sink:
      try await server.run { connection in
        var total = 0
        for try await chunk in connection.inbound {
          total += chunk.count
        }
        try await connection.send("\(total)\n")
      }
    case .fanout:
      let room = Broadcast(LineFraming())
      try await server.run(framing: LineFraming()) { connection in
        try await room.join(connection) {
          try await connection.send("welcome")
          for try await line in connection.inbound {
            try await room.send(line)
          }
        }
      }
    }
  }
}
