import Framing
import Peers
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("A server that pauses", .timeLimit(.minutes(4)))
struct PauseTests {
  @Test("who connects in a pause waits, is served after it, and who is served notices nothing")
  func pause() async throws {
    let log = EventLog()
    try await withAuditedLoops(count: 2) { _ in
      try await withServer(framing: LineFraming(), configuration: log.configuration(), handler: echo) {
        server in
        let early = try await server.connect()
        #expect(try await early.ask("early") == "early")
        for round in 1...20 {
          await server.pauseAccepting()
          let late = try await server.connect(count: 3)
          for peer in late { try peer.send("late\n") }
          #expect(try await early.ask("still here") == "still here")
          #expect(log.accepted.count == 1 + 3 * (round - 1))
          server.resumeAccepting()
          for peer in late {
            try await onThread { try peer.expectLine("late") }
            peer.close()
          }
        }
        early.close()
      }
    }
  }

  @Test("a pause may come twice, and before the run")
  func twice() async throws {
    try await withAuditedLoops { _ in
      let server = try await TCPServer.bind(on: .loopback())
      await server.pauseAccepting()
      await server.pauseAccepting()
      let log = Shared(0)
      try await withRunning(server, framing: LineFraming()) { connection in
        log.increase()
        try await echo(connection)
      } body: { server in
        let peer = try await server.connect()
        try peer.send("hello\n")
        await server.pauseAccepting()
        #expect(log.value == 0)
        server.resumeAccepting()
        server.resumeAccepting()
        try await onThread { try peer.expectLine("hello") }
        peer.close()
      }
    }
  }

  @Test("stopping ends a pause: who waits is served, then the listener closes", arguments: [false, true])
  func stop(isDrain: Bool) async throws {
    try await withAuditedLoops { _ in
      let address = try SocketAddress.ownLoopback()
      try await withServer(on: address, framing: LineFraming(), handler: echo) { server in
        await server.pauseAccepting()
        let peer = try await server.connect()
        try peer.send("hello\n")
        if isDrain { server.beginDrain() } else { server.stopAccepting() }
        await server.pauseAccepting()
        try await onThread { try peer.expectLine("hello") }
        peer.close()
        try await untilRefused(server.address)
      }
    }
  }

  @Test("a full server that pauses lets nobody in when a place becomes free")
  func full() async throws {
    let log = EventLog()
    try await withAuditedLoops { _ in
      let configuration = log.configuration { $0.limits.connections = 1 }
      try await withServer(framing: LineFraming(), configuration: configuration, handler: echo) { server in
        let peers = try await server.connect(count: 2)
        #expect(try await peers[0].ask("one") == "one")
        await server.pauseAccepting()
        peers[0].close()
        try await log.untilClosed(1)
        await server.pauseAccepting()
        #expect(log.accepted.count == 1)
        server.resumeAccepting()
        #expect(try await peers[1].ask("two") == "two")
        peers[1].close()
      }
    }
  }
}
