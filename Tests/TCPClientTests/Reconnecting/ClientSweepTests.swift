import TCPClient
import TCPServer
import TestHarness
import Testing

@Suite("A client that is cancelled", .timeLimit(.minutes(2)))
struct ClientSweepTests {
  /// Looks up, races, connects, prepares, talks, backs off, connects again.
  @Test("wherever it waits ends with one outcome for each attempt, and leaves nothing behind (P38)")
  func sweep() async throws {
    let sweep = try await sweepCancellation(seed: 38, limit: 150) { world in
      let log = ClientLog()
      let host = world.host("server")
      let server = try await host.run { try await TCPServer.bind(on: host.address.withPort(7)) }
      host.start {
        try await server.run(framing: .lines) { connection in
          guard let line = try await connection.next() else { return }
          try await connection.send(line)
        }
      }
      let configuration = log.configuration(.fixed(.seconds(1))) { configuration in
        configuration.preparing = { connection in try await connection.loop.sleep(for: .milliseconds(1)) }
      }
      let client = TCPClient(to: "server", port: 7, configuration: configuration)
      var count = 0
      do {
        let _: Bool = try await client.run(framing: .lines) { connection in
          count += 1
          try await connection.send("hello")
          while try await connection.next() != nil {}
          return count == 2 ? .finish(true) : .reconnect
        }
      } catch {
        guard error is CancellationError, log.disorder == nil else { throw Oops() }
        throw error
      }
      if log.disorder != nil { throw Oops() }
    }
    #expect(sweep.cancelled > sweep.tried / 2)
  }

  @Test("with a session wherever that waits leaves nothing behind, and each request has one outcome (P38)")
  func sessionSweep() async throws {
    let sweep = try await sweepCancellation(seed: 39, limit: 150) { world in
      try await world.host("server").serveLines { connection in
        for try await line in connection.inbound {
          if line == "leave" { return }
          if line == "queued" { continue }
          try await connection.send(line)
        }
      }
      let client = TCPClient(
        to: "server", port: 7, configuration: ClientLog().configuration(.fixed(.seconds(1))))
      let feed = client.session(
        framing: .lines, whileDisconnected: .queue(bytes: 100),
        heartbeat: .request("PING", every: .milliseconds(300), silence: .seconds(1)),
        opening: { _ = try await $0.request("login") })
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await feed.run() }
        try await feed.send("queued")
        if try await feed.request("one") != "one" { throw Oops() }
        try await feed.send("leave")
        try await world.sleep(for: .milliseconds(500))
        if try await feed.request("two") != "two" { throw Oops() }
        group.cancelAll()
        do { try await group.waitForAll() } catch is CancellationError {}
      }
      try Task.checkCancellation()
    }
    #expect(sweep.cancelled > sweep.tried / 2)
  }
}
