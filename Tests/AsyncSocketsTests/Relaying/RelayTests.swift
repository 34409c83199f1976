import Framing
import Peers
import TestHarness
import Testing

@testable import AsyncSockets

@Suite("A relay between two connections", .serialized, .timeLimit(.minutes(4)))
struct RelayTests {
  @Test(
    "bytes go both ways at once, whole and in order, and the report counts them", arguments: Route.allCases)
  func bothWays(_ route: Route) async throws {
    let (asked, answered) = (payload(3_000_000), payload(2_000_000, seed: 1))
    try await withRelay(route, hasSmallBuffers: true) { link in
      async let report = link.run()
      async let sending: Void = onThread {
        try link.client.peer.send(asked)
        try link.client.peer.halfClose()
      }
      async let answering: Void = onThread {
        try link.server.peer.send(answered)
        try link.server.peer.halfClose()
      }
      async let atServer = onThread { try link.server.peer.receiveToEnd() }
      async let atClient = onThread { try link.client.peer.receiveToEnd() }
      #expect(areSame(try await atServer, asked))
      #expect(areSame(try await atClient, answered))
      let side = RelayReport.Side.init
      #expect(
        try await report == RelayReport(first: side(3_000_000, .ended), second: side(2_000_000, .ended)))
      _ = try await (sending, answering)
      await link.client.connection.close()
      #expect(link.client.connection.closeReason == .closedByPeer)
    }
  }

  @Test("each byte is passed on when it comes", arguments: Route.allCases)
  func conversation(_ route: Route) async throws {
    try await withRelay(route) { link in
      async let report = link.run()
      try await onThread {
        for round in 0..<100 {
          try link.client.peer.send("question \(round)\n")
          try link.server.peer.send("to \(try link.server.peer.receiveLine())\n")
          guard try link.client.peer.receiveLine() == "to question \(round)" else {
            throw PeerError.invalid("round \(round)")
          }
        }
        try link.client.peer.halfClose()
        try link.server.peer.halfClose()
      }
      #expect(try await report.second.ending == .ended)
    }
  }

  @Test("one side's end is passed on, and the other direction goes on", arguments: Route.allCases)
  func halfClose(_ route: Route) async throws {
    try await withRelay(route) { link in
      async let report = link.run()
      try link.client.peer.send("request")
      try link.client.peer.halfClose()
      #expect(try await onThread { try link.server.peer.receiveToEnd() } == bytes("request"))
      let reply = payload(500_000)
      async let sending: Void = onThread {
        try link.server.peer.send(reply)
        try link.server.peer.halfClose()
      }
      #expect(areSame(try await onThread { try link.client.peer.receiveToEnd() }, reply))
      try await sending
      #expect(try await report.first.ending == .ended)
    }
  }

  @Test("what was received before and not read goes first", arguments: Route.allCases)
  func leftovers(_ route: Route) async throws {
    try await withRelay(route) { link in
      try link.client.peer.send("CONNECT\nfirst ")
      try link.server.peer.send("220 ready")
      let lines = link.client.connection.framed(LineFraming())
      #expect(try await lines.next() == "CONNECT")
      #expect(try await link.server.connection.peek(atLeast: 9) == bytes("220 ready"))
      async let report = link.run()
      #expect(try await onThread { try link.client.peer.receive(exactly: 9) } == bytes("220 ready"))
      try link.client.peer.send("second")
      try link.client.peer.halfClose()
      #expect(try await onThread { try link.server.peer.receiveToEnd() } == bytes("first second"))
      try link.server.peer.halfClose()
      #expect(try await report.first.bytes == 12)
      #expect(try await report.second.bytes == 9)
    }
  }

  @Test("leftovers and ends that had come before are passed on", arguments: Route.allCases)
  func endedBefore(_ route: Route) async throws {
    try await withRelay(route) { link in
      try link.client.peer.send("all")
      try link.client.peer.halfClose()
      try link.server.peer.halfClose()
      #expect(try await link.client.connection.peek(atLeast: 4) == bytes("all"))
      let report = try await link.run()
      #expect(report.first.ending == .ended && report.second.ending == .ended)
      #expect(try await onThread { try link.server.peer.receiveToEnd() } == bytes("all"))
      #expect(try await onThread { try link.client.peer.receiveToEnd() } == [])
    }
  }

  @Test(
    "while one side takes nothing, at most 64 KiB are held, and nothing is lost (P30, P31)",
    arguments: Route.allCases)
  func stuckReader(_ route: Route) async throws {
    try await withRelay(route, hasSmallBuffers: true) { link in
      let sent = payload(4_000_000)
      async let report = link.run()
      async let sending: Void = onThread {
        try link.client.peer.send(sent)
        try link.client.peer.halfClose()
      }
      try await untilWriting(link.server.connection)
      let read = link.client.connection.counters.bytesRead
      for _ in 0..<10 { await link.loop.nextTurn() }
      #expect(link.server.connection.queued > 0 && link.server.connection.queued <= 65_536)
      #expect(link.client.connection.counters.bytesRead == read)
      #expect(read < 1_000_000)
      // The other direction does not mind.
      try link.server.peer.send("still here")
      #expect(try await onThread { try link.client.peer.receive(exactly: 10) } == bytes("still here"))
      #expect(areSame(try await onThread { try link.server.peer.receiveToEnd() }, sent))
      try await sending
      try link.server.peer.halfClose()
      #expect(try await report.first.bytes == 4_000_000)
    }
  }

  @Test("on two loops, it works as on one", arguments: Route.allCases)
  func twoLoops(_ route: Route) async throws {
    try await withRelay(route, hasSmallBuffers: true, loops: 2) { link in
      let sent = payload(2_000_000)
      async let report = link.run()
      async let echoing: Void = onThread {
        while true {
          let chunk = try link.server.peer.receive(atMost: 10_000)
          if chunk.isEmpty { break }
          try link.server.peer.send(chunk)
        }
        try link.server.peer.halfClose()
      }
      async let sending: Void = onThread {
        try link.client.peer.send(sent)
        try link.client.peer.halfClose()
      }
      #expect(areSame(try await onThread { try link.client.peer.receiveToEnd() }, sent))
      _ = try await (echoing, sending)
      #expect(try await report.second.bytes == 2_000_000)
    }
  }

  @Test("others may send between the relayed bytes", arguments: Route.allCases)
  func sendingBeside(_ route: Route) async throws {
    try await withRelay(route, hasSmallBuffers: true) { link in
      async let report = link.run()
      let (sent, other) = (payload(200_000), payload(100_000, seed: 1))
      async let sending: Void = onThread {
        try link.client.peer.send(sent)
        try link.client.peer.halfClose()
      }
      try await untilWriting(link.server.connection)
      async let beside: Void = link.server.connection.send(other)
      try await untilWriting(link.server.connection, count: 2)
      let received = try await onThread { try link.server.peer.receive(exactly: sent.count + other.count) }
      try await beside
      try await sending
      let start = try #require(received.firstRange(of: other)).lowerBound
      #expect(areSame(Array(received[..<start] + received[(start + other.count)...]), sent))
      try link.server.peer.halfClose()
      #expect(try await report.first.bytes == 200_000)
    }
  }

  @Test("over transports in memory it is the same", arguments: Place.allCases)
  func memory(_ place: Place) async throws {
    try await withAuditedLoops(clock: ManualClock()) { group in
      let loop = group.loops[0]
      let (clientEnd, clientSide) = MemoryTransport.pair(capacity: 5000)
      let (serverSide, serverEnd) = MemoryTransport.pair(capacity: 700)
      let client = try Connection(over: clientEnd, on: loop)
      let near = try Connection(over: clientSide, on: loop)
      let far = try Connection(over: serverSide, on: loop)
      let server = try Connection(over: serverEnd, on: loop)
      try await run(Route(network: .ipv4, isOnLoop: place == .onLoop), on: loop) {
        async let report = relay(near, far)
        async let echoing: Void = {
          for try await chunk in server.inbound { try await server.send(chunk) }
          try await server.finishWriting()
        }()
        async let sending: Void = {
          for number in 0..<20 { try await client.send(payload(5000, seed: UInt8(number))) }
          try await client.finishWriting()
        }()
        let received = try await client.receiveToEnd()
        #expect(areSame(received, (0..<20).flatMap { payload(5000, seed: UInt8($0)) }))
        _ = try await (echoing, sending)
        #expect(try await report.first.bytes == 100_000)
        #expect(try await report.second.bytes == 100_000)
      }
      for connection in [client, near, far, server] { await connection.close() }
    }
  }
}
