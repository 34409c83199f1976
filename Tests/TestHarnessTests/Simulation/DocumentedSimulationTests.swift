import AsyncSockets
import Framing
import TCPServer
import TestHarness
import Testing

// What Docs/Simulation.md shows, as it stands there (.ci/check-readme).

@Suite struct DocumentedSimulationTests {
  @Test("an hour takes no time")
  func hour() async throws {
    try await withSimulation { world in
      world.host("pantry").start {
        try await TCPServer.serve(on: .any(port: 7), framing: .lines) { connection in
          for try await line in connection.inbound { try await connection.send(line) }
        }
      }
      try await world.sleep(for: .seconds(3600))  // takes no time
      try await world.host("kitchen").run {
        try await Connector().withConnection(to: "pantry", port: 7) { connection in
          let lines = connection.framed(.lines)
          try await lines.send("salt?")
          print(try await lines.next() ?? "nothing", world.elapsed)
        }
      }
    }
  }

  @Test("hosts that crash")
  func crash() async throws {
    try await withSimulation { world in
      let server = world.host("server")
      server.start {
        try await TCPServer.serve(on: .any(port: 7), framing: .lines) { connection in
          for try await line in connection.inbound { try await connection.send(line) }
        }
      }
      try await world.sleep(for: .seconds(1))
      try await world.host("client").run {
        let connection = try await Connection.connect(to: "server", port: 7)
        server.crash()
        try await connection.send("anybody?\n")  // nobody hears it, and nobody says so
        try await world.sleep(for: .seconds(10))
        server.restart()
        do {
          print(try await connection.read() as Any)
        } catch {
          print(error)  // connection reset by 10.0.0.2:7: recv: ECONNRESET …
        }
        connection.abort()
      }
    }
  }

  @Test("bad networks")
  func badNetworks() async throws {
    try await withSimulations(seeds: 0..<20) { world in
      let (server, client) = (world.host("server"), world.host("client"))
      let slow = LinkConditions(latency: .milliseconds(40), jitter: .milliseconds(20), loss: 0.02)
      try world.setConditions(slow, between: client, and: server)
      let listener = try await server.run { try Listener.bind(to: .any(port: 7), on: world.loop) }
      async let accepted = listener.accept(on: world.loop)
      let connection = try await client.run { try await Connector().connect(to: "server", port: 7) }
      let peer = try await accepted

      world.partition(between: client, and: server)
      try await connection.send("are you there?")
      try await world.sleep(for: world.random(in: .zero ... .seconds(60)))
      world.heal(between: client, and: server)
      let question = try await peer.read(exactly: 14)
      world.note("\(question?.count ?? 0) bytes have come through")

      world.resetConnections(between: client, and: server)
      _ = try? await peer.read()  // connection reset by …
      for end in [connection, peer] { end.abort() }
      listener.close()
    }
  }
}
