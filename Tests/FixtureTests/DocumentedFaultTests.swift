import AsyncSockets
import Framing
import TCPServer
import TestHarness
import Testing

// What Docs/Testing.md shows of faults and cancellation, as it stands there (.ci/check-readme).

@Suite("The documentation of faults and of cancellation", .timeLimit(.minutes(2)))
struct DocumentedFaultTests {
  @Test("a bad network", .standingClock)
  func faults() async throws {
    try await withTestServer(.echo, framing: .lines) { server in
      try await withFaultProxy(to: server.addresses[0]) { proxy in
        let client = MyClient(port: proxy.address.port ?? 0)
        let slices = try proxy.add(.slicer(averageSize: 2, variation: 1))
        print(try await client.ask("Still there?") ?? "")
        slices.remove()
        try proxy.add(.limitData(3))
        print(try await client.ask("And now?") ?? "")  // And
      }
    }
  }

  @Test("a bad network in a simulation")
  func simulation() async throws {
    try await withSimulation(seed: 7) { world in
      let (host, middle) = (world.host("server"), world.host("proxy"))
      let server = try await host.run { try await TCPServer.bind(on: .any(port: 80)) }
      host.start {
        try await server.run { connection in
          for try await bytes in connection.inbound { try await connection.send(bytes) }
        }
      }
      try await middle.run {
        try await withFaultProxy(to: host.address.withPort(80), on: .any(port: 80)) { proxy in
          try proxy.add(.stall())
          try await world.host("client").run {
            try await Connector().withConnection(to: "proxy", port: 80) { connection in
              try await connection.send("hello?")
              let answer = try? await connection.read(deadline: .after(.seconds(3600)))
              print(answer == nil ? "no answer in an hour" : "an answer", world.elapsed)
            }
          }
        }
      }
    }
  }

  @Test("a cancellation sweep")
  func sweep() async throws {
    let sweep = try await sweepCancellation(seed: 7) { world in
      let host = world.host("server")
      let listener = try await host.run { try Listener.bind(to: .any(port: 80), on: world.loop) }
      defer { listener.close() }
      world.host("client").start {
        // It is refused when the scenario was cancelled before.
        guard let client = try? await Connection.connect(to: "server", port: 80) else { return }
        _ = try? await client.read()
        await client.close()
      }
      let connection = try await listener.accept(on: world.loop)
      defer { connection.abort() }
      try await world.sleep(for: .milliseconds(1))
      try await connection.send("welcome")
    }
    print(sweep)
  }
}
