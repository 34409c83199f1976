import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

@Suite("Upgrading a connection to another transport")
struct UpgradeTests {
  @Test(
    "what is sent before goes in the clear, and what is sent after through the transport",
    arguments: Route.allCases)
  func startTLS(_ route: Route) async throws {
    try await withPair(route) { server, client in
      try await client.send("STARTTLS\n")
      #expect(try await server.read(until: [10]) == Array("STARTTLS".utf8))
      try await server.send("go ahead\n")
      try await server.upgrade { RecordTransport(over: $0) }
      #expect(try await client.read(until: [10]) == Array("go ahead".utf8))
      try await client.upgrade { RecordTransport(over: $0) }
      try await client.send("secret")
      #expect(try await server.read(exactly: 6) == Array("secret".utf8))
      try await server.send("answer")
      #expect(try await client.read(exactly: 6) == Array("answer".utf8))
    }
  }

  @Test("at the start of a connection, whichever side speaks first", arguments: Route.allCases)
  func fromTheStart(_ route: Route) async throws {
    try await withPair(route) { server, client in
      try await server.upgrade { RecordTransport(over: $0) }
      try await client.upgrade { RecordTransport(over: $0) }
      async let greeting = client.read(exactly: 5)
      try await server.send("hello")
      #expect(try await greeting == Array("hello".utf8))
    }
  }

  @Test("what crosses the wire is not what was sent", arguments: Route.executors)
  func wire(_ route: Route) async throws {
    try await withLink(route) { link in
      try await link.connection.upgrade { RecordTransport(over: $0) }
      try await link.connection.send("secret")
      try await onThread {
        try link.peer.send([22, 0, 0])
        #expect(try link.peer.receive(exactly: 12) == [22, 0, 0, 23, 0, 6] + "secret".utf8.map { $0 ^ 0x5A })
      }
    }
  }

  @Test("bytes that came in the clear and that nobody read are refused, and stay", arguments: Route.allCases)
  func injection(_ route: Route) async throws {
    try await withLink(route) { link in
      try await onThread { try link.peer.send("STARTTLS\ninjected\n") }
      #expect(try await link.connection.read(until: [10]) == Array("STARTTLS".utf8))
      _ = try await link.connection.peek(atLeast: 9)
      await #expect(throws: SocketError.unreadBytes(9)) {
        try await link.connection.upgrade { RecordTransport(over: $0) }
      }
      #expect(try link.connection.takeLeftovers() == Array("injected\n".utf8))
      try await link.connection.upgrade { RecordTransport(over: $0) }
    }
  }

  @Test("is refused while a task reads", arguments: Route.executors)
  func busy(_ route: Route) async throws {
    try await withPair(route) { server, client in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          let chunk = try await server.read()
          #expect(chunk == [1])
        }
        try await eventually("somebody reads") { (try? server.takeLeftovers()) == nil }
        await #expect(throws: SocketError.busy(operation: "upgrade")) {
          try await server.upgrade { RecordTransport(over: $0) }
        }
        try await client.send([1])
        try await group.waitForAll()
      }
    }
  }

  @Test("leaves the connection as it was when the transport cannot be made", arguments: Route.executors)
  func failure(_ route: Route) async throws {
    struct NoCertificate: Error {}
    try await withPair(route) { server, client in
      await #expect(throws: NoCertificate.self) { try await server.upgrade { _ in throw NoCertificate() } }
      try await server.send("plain")
      #expect(try await client.read(exactly: 5) == Array("plain".utf8))
    }
  }

  @Test("much data goes both ways at once, byte for byte", arguments: Route.allCases)
  func bulk(_ route: Route) async throws {
    let payload = (0..<rounds(200_000, slow: 1_000_000)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    try await withUpgradedPair(route) { server, client in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for end in [server, client] {
          group.addTask {
            for start in stride(from: 0, to: payload.count, by: 50_000) {
              try await end.send(Array(payload[start..<(start + 50_000)]))
            }
            try await end.finishWriting()
          }
          group.addTask {
            var received: [UInt8] = []
            for try await chunk in end.inbound { received += chunk }
            #expect(received == payload)
          }
        }
        try await group.waitForAll()
      }
    }
  }

  @Test("half of it can be closed, and the other half goes on", arguments: Route.allCases)
  func halfClose(_ route: Route) async throws {
    try await withUpgradedPair(route) { server, client in
      try await client.send("question")
      async let ended: Void = client.finishWriting()
      #expect(try await server.read(exactly: 8) == Array("question".utf8))
      try await ended
      #expect(try await server.read() == nil)
      try await server.send("answer")
      #expect(try await client.read(exactly: 6) == Array("answer".utf8))
    }
  }

  @Test("a close says goodbye, and loses nothing", arguments: Route.allCases)
  func close(_ route: Route) async throws {
    try await withUpgradedPair(route) { server, client in
      try await client.send("last words")
      async let closed: Void = client.close()
      var received: [UInt8] = []
      for try await chunk in server.inbound { received += chunk }
      await server.close()
      await closed
      #expect(received == Array("last words".utf8))
      #expect(client.closeReason == .closed)
      #expect(server.closeReason == .closedByPeer)
    }
  }

  @Test("a stream that ends without a goodbye is truncated, for ever", arguments: Route.allCases)
  func truncation(_ route: Route) async throws {
    try await withLink(route) { link in
      try await link.connection.upgrade { RecordTransport(over: $0) }
      try await onThread {
        try link.peer.send([22, 0, 0, 23, 0, 2, 1 ^ 0x5A, 2 ^ 0x5A])
        try link.peer.halfClose()
      }
      #expect(try await link.connection.read(exactly: 2) == [1, 2])
      for _ in 0..<3 {
        await #expect(throws: SocketError.truncated(peer: link.connection.peerAddress)) {
          try await link.connection.read()
        }
      }
      link.connection.abort()
      #expect(link.connection.closeReason == .truncated)
    }
  }

  @Test("a reset stays a reset", arguments: Route.tcp)
  func reset(_ route: Route) async throws {
    try await withUpgradedPair(route) { server, client in
      client.abort()
      for _ in 0..<3 {
        await #expect {
          try await server.read()
        } throws: {
          if case .reset? = $0 as? SocketError { true } else { false }
        }
      }
    }
  }

  @Test("framed connections on top go on")
  func framed() async throws {
    try await withPair(Route.executors[0]) { server, client in
      let lines = server.framed(LineFraming())
      try await client.send("one\n")
      #expect(try await lines.next() == "one")
      try await server.upgrade { RecordTransport(over: $0) }
      try await client.upgrade { RecordTransport(over: $0) }
      try await client.send("two\nthree\n")
      #expect(try await lines.next() == "two")
      #expect(try await lines.next() == "three")
    }
  }

  @Test("an upgraded connection can be upgraded again", arguments: Route.executors)
  func twice(_ route: Route) async throws {
    try await withUpgradedPair(route) { server, client in
      try await server.upgrade { RecordTransport(over: $0) }
      try await client.upgrade { RecordTransport(over: $0) }
      async let heard = server.read(exactly: 3)
      try await client.send("abc")
      #expect(try await heard == Array("abc".utf8))
    }
  }

  @Test("the transport below may tell its news from inside a call", arguments: Place.allCases)
  func newsFromInside(_ place: Place) async throws {
    try await withAuditedLoops(clock: ManualClock()) { group in
      let loop = group.loops[0]
      let faults = TransportFaults(seed: 1, largestPiece: 1, blockingInterval: 2, spuriousInterval: 1)
      let (server, client) = try MemoryTransport.connectedPair(on: loop, capacity: 10, faults: faults)
      defer {
        server.abort()
        client.abort()
      }
      try await run(Route(network: .ipv4, isOnLoop: place == .onLoop), on: loop) {
        try await server.upgrade { RecordTransport(over: $0) }
        try await client.upgrade { RecordTransport(over: $0) }
        let sent = payload(1000)
        async let sending: Void = client.send(sent)
        #expect(try await server.read(exactly: 1000) == sent)
        try await sending
      }
    }
  }

  @Test("the socket below can still be asked", arguments: Route.tcp)
  func socket(_ route: Route) async throws {
    try await withUpgradedPair(route) { server, _ in
      let info = try server.tcpInfo()
      #expect(info != nil)
    }
  }
}

/// Two connections of ours, joined.
private func withPair(
  _ route: Route,
  _ body: @escaping @Sendable (_ server: Connection, _ client: Connection) async throws -> Void
) async throws {
  try await withAuditedLoops { group in
    let loop = group.loops[0]
    let listener = try Listener.bind(to: route.network.freeAddress, on: loop)
    var connector = Connector(environment: Environment(loops: group))
    connector.deadline = .never
    let client = try await connector.connect(to: listener.address)
    let server = try await listener.accept(on: loop)
    listener.close()
    defer {
      client.abort()
      server.abort()
    }
    try await run(route, on: loop) { try await body(server, client) }
  }
}

private func withUpgradedPair(
  _ route: Route,
  _ body: @escaping @Sendable (_ server: Connection, _ client: Connection) async throws -> Void
) async throws {
  try await withPair(route) { server, client in
    try await server.upgrade { RecordTransport(over: $0) }
    try await client.upgrade { RecordTransport(over: $0) }
    try await body(server, client)
  }
}
