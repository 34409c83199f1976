import AsyncSockets
import Peers
import TestHarness
import Testing

@Suite("The write stall limit", .timeLimit(.minutes(4)))
struct WriteStallTests {
  @Test("a peer that takes no output for 30 s ends the connection (P32)", arguments: Route.allCases)
  func ends(_ route: Route) async throws {
    try await withLink(route, hasSmallBuffers: true) { link in
      try await link.connection.sendWithoutWaiting(payload(1_000_000))
      try await settled(link)
      async let error = socketError { try await link.connection.send("x") }
      async let reader = socketError { try await link.connection.read() }
      try await untilWriting(link.connection)
      try await untilReading(link.connection)
      link.clock.advance(by: .seconds(29))
      for _ in 0..<3 { await link.loop.nextTurn() }
      #expect(try waitingWriters(link.connection) == 1)
      link.clock.advance(by: .seconds(1))
      #expect(await error == .limit(.writeStall))
      #expect(await reader == .limit(.writeStall))
      #expect(link.connection.closeReason == .limit(.writeStall))
      figure("P32", "a peer that takes nothing, with a limit of 30 s, ended after", "30 s, not 29 s")
    }
  }

  @Test("a peer that takes a little now and then is not stalled", arguments: Place.allCases)
  func trickle(_ place: Place) async throws {
    let transport = ScriptedTransport()
    transport.block()
    try await withScript(place, transport) { link in
      try await link.connection.send(payload(1000))
      for round in 1...10 {
        link.clock.advance(by: .seconds(29))
        for _ in 0..<2 { await link.loop.nextTurn() }
        transport.unblock(room: 1)
        try await eventually("a byte was taken") { link.connection.counters.bytesWritten == round }
      }
      #expect(link.connection.closeReason == nil)
      link.clock.advance(by: .seconds(30))
      try await eventually("it ends") { link.connection.closeReason == .limit(.writeStall) }
    }
  }

  @Test(
    "the limit counts from when output begins to wait, not from an earlier stall", arguments: Place.allCases)
  func countsAnew(_ place: Place) async throws {
    let transport = ScriptedTransport()
    transport.block()
    try await withScript(place, transport) { link in
      try await link.connection.send("first")
      for _ in 0..<2 { await link.loop.nextTurn() }
      link.clock.advance(by: .seconds(1))
      transport.unblock(room: 5)
      try await eventually("it was taken") { link.connection.queued == 0 }

      link.clock.advance(by: .seconds(28))
      for _ in 0..<2 { await link.loop.nextTurn() }
      try await link.connection.send("second")
      for _ in 0..<2 { await link.loop.nextTurn() }
      for _ in 0..<29 {
        link.clock.advance(by: .seconds(1))
        for _ in 0..<2 { await link.loop.nextTurn() }
        #expect(link.connection.closeReason == nil)
      }
      link.clock.advance(by: .seconds(1))
      try await eventually("it ends") { link.connection.closeReason == .limit(.writeStall) }
    }
  }

  @Test("without a limit a peer may take its time", arguments: Place.allCases)
  func noLimit(_ place: Place) async throws {
    let transport = ScriptedTransport()
    transport.block()
    var options = ConnectionOptions()
    options.limits.writeStall = nil
    try await withScript(place, transport, options: options) { link in
      try await link.connection.send("slow")
      link.clock.advance(by: .seconds(1_000_000))
      for _ in 0..<3 { await link.loop.nextTurn() }
      #expect(link.loop.census.deadlines == 0)
      transport.unblock()
      try await link.connection.flush()
      #expect(transport.record.written == bytes("slow"))
    }
  }

  @Test("a connection without output never stalls", arguments: Route.executors)
  func nothingToWrite(_ route: Route) async throws {
    try await withLink(route) { link in
      try await link.connection.send("x")
      try await link.connection.flush()
      link.clock.advance(by: .seconds(1000))
      for _ in 0..<3 { await link.loop.nextTurn() }
      try await link.connection.send("y")
      #expect(try await onThread { try link.peer.receive(exactly: 2) } == bytes("xy"))
      #expect(link.connection.closeReason == nil)
    }
  }
}
