import Framing
import Peers
import TCPServer
import TestHarness
import Testing

@Suite("A server that is out of descriptors, and the backlog", .timeLimit(.minutes(4)))
struct SheddingTests {
  @Test(
    "those who wait are reset by means of a reserve if that is asked for, and else served when there is one again",
    arguments: [true, false])
  func backlog(isShed: Bool) async throws {
    try await withSimulation(seed: 9) { world in
      let log = EventLog()
      let host = world.host("server")
      let server = try await host.run {
        let configuration = log.configuration { $0.shedsBacklog = isShed }
        return try await TCPServer.bind(on: .any(port: 7), configuration: configuration)
      }
      // The listener, the reserve, and ten connections.
      world.setDescriptorLimit(isShed ? 12 : 11, of: host)
      host.start {
        try await server.run(framing: .lines) { connection in
          for try await line in connection.inbound { try await connection.send(line) }
        }
      }
      try await world.host("client").run {
        @Sendable func connect() async throws -> Connection {
          try await Connector().connect(to: "server", port: 7)
        }
        func isServed(_ connection: Connection) async throws -> Bool {
          do {
            let lines = connection.framed(.lines)
            try await lines.send("hello")
            return try await lines.next(deadline: .after(.seconds(5))) == "hello"
          } catch SocketError.reset {
            return false
          }
        }
        var served: [Connection] = []
        for _ in 0..<10 { served.append(try await connect()) }
        for connection in served { try check(try await isServed(connection), "the first ten are served") }
        for episode in 1...3 {
          var late: [Connection] = []
          for _ in 0..<20 { late.append(try await connect()) }
          try await world.sleep(for: .seconds(1))
          for connection in served { try check(try await isServed(connection), "who is served stays so") }
          try check(log.pauses.count == 2 * episode - 1, "each episode is told once: \(log.pauses)")
          if isShed {
            try check(log.refusals.count == 20 * episode, "all who wait are refused: \(log.refusals.count)")
            for connection in late { try check(try await !isServed(connection), "they are reset") }
          } else {
            try check(log.refusals.isEmpty, "nobody is refused")
          }
          await served.removeLast().close()
          if isShed {
            served.append(try await connect())
          } else {
            served.append(late.removeFirst())
          }
          let last = served[9]
          try check(try await isServed(last), "one more is served as soon as there is a descriptor")
          for connection in late { connection.abort() }
          try await world.sleep(for: .seconds(1))
          guard !isShed else {
            try check(log.pauses.count == 2 * episode, "the episode is over: \(log.pauses)")
            continue
          }
          // Those who have given up died in the queue, and then there is no shortage any more.
          await served.removeLast().close()
          try await world.sleep(for: .seconds(1))
          served.append(try await connect())
          try check(try await isServed(served[9]), "and the queue is empty")
          break
        }
        for connection in served { await connection.close() }
      }
      await server.drain()
    }
  }
}
