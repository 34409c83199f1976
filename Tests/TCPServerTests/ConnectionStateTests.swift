import Framing
import Peers
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("Connections beside each other", .timeLimit(.minutes(4)))
struct ConnectionStateTests {
  @Test("scenario G3: each handler sees its own connection's lines and state, and nobody else's")
  func ownEventsOnly() async throws {
    try await withAuditedLoops(count: 2) { _ in
      try await withServer(framing: LineFraming()) { connection in
        var count = 0
        for try await line in connection.inbound {
          count += 1
          try await connection.send("\(connection.peerAddress?.port ?? 0) \(count) \(line)")
        }
      } body: { server in
        let peers = try await server.connect(count: 20)
        // Interleaved, so that state that was shared would show.
        for round in 1...5 {
          for (number, peer) in peers.enumerated() {
            let line = "line \(round) of \(number)"
            #expect(try await peer.ask(line) == "\(peer.localPort) \(round) \(line)")
          }
        }
        for peer in peers { peer.close() }
      }
    }
  }

  @Test("1,000 handlers that throw harm neither the server nor a connection beside them (P16)")
  func throwingHandlers() async throws {
    struct Trouble: Error, CustomStringConvertible { let description: String }
    let log = EventLog()
    try await withAuditedLoops(count: 2) { _ in
      try await withServer(framing: LineFraming(), configuration: log.configuration()) { connection in
        for try await line in connection.inbound {
          if line.hasPrefix("throw") { throw Trouble(description: line) }
          try await connection.send(line)
        }
      } body: { server in
        let port = server.port
        let healthy = try await server.connect()
        #expect(try await healthy.ask("before") == "before")
        try await onThread {
          for number in 0..<1000 {
            let peer = try BlockingPeer.connect(port: port)
            try peer.send("throw \(number)\n")
            try peer.expectNothing()
            peer.close()
            if number % 100 == 0 {
              try healthy.send("between\n")
              try healthy.expectLine("between")
            }
          }
        }
        try await log.untilClosed(1000)
        #expect(try await healthy.ask("after") == "after")
        figure("P16", "handlers that threw, and others whom it harmed", "\(log.failures.count), 0")
        healthy.close()
        try await log.untilClosed(1001)
      }
    }
    #expect(Set(log.failures) == Set((0..<1000).map { "throw \($0)" }))
    #expect(log.failures.count == 1000)
    #expect(log.reasons.count { if case .handlerThrew = $0 { true } else { false } } == 1000)
    #expect(log.reasons.last == .closedByPeer)
  }

  @Test("clients that come one after the other are spread over the loops")
  func balance() async throws {
    let served = Shared<[ObjectIdentifier: Int]>([:])
    try await withAuditedLoops(count: 2) { loops in
      try await withServer(framing: LineFraming()) { connection in
        let loop = ObjectIdentifier(connection.connection.loop)
        served.change { $0[loop, default: 0] += 1 }
        try await echo(connection)
      } body: { server in
        for _ in 0..<20 {
          let peer = try await server.connect()
          #expect(try await peer.ask("hello") == "hello")
          peer.close()
        }
      }
      #expect(served.value == [ObjectIdentifier(loops.loops[0]): 10, ObjectIdentifier(loops.loops[1]): 10])
    }
  }

  @Test("a handler runs on its connection's loop, before and after it has waited")
  func handlersRunOnTheLoop() async throws {
    try await withAuditedLoops(count: 2) { _ in
      try await withServer(framing: LineFraming()) { connection in
        let loop = connection.connection.loop
        for try await line in connection.inbound {
          #expect(loop.isCurrent)
          try await connection.send(line)
          try await connection.flush()
          #expect(loop.isCurrent)
        }
        #expect(loop.isCurrent)
      } body: { server in
        for _ in 0..<4 {
          let peer = try await server.connect()
          #expect(try await peer.ask("one") == "one")
          #expect(try await peer.ask("two") == "two")
          peer.close()
        }
      }
    }
  }

  @Test("a connection is freed when its handler has ended (P43)")
  func nothingOutlivesTheHandler() async throws {
    struct Witness: Sendable { weak let connection: Connection? }
    let witness = Shared<Witness?>(nil)
    try await withAuditedLoops { loops in
      try await withServer(framing: LineFraming()) { connection in
        witness.set(Witness(connection: connection.connection))
        try await echo(connection)
      } body: { server in
        let peer = try await server.connect()
        #expect(try await peer.ask("hello") == "hello")
        #expect(server.connectionCount == 1)
        peer.close()
        try await eventually("nobody is served") { server.connectionCount == 0 }
      }
      try await eventually("the connection is freed") { witness.value?.connection == nil }
      #expect(loops.loops[0].census.registrations == 0)
      #expect(loops.loops[0].census.deadlines == 0)
    }
  }
}
