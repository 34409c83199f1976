import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

@Suite("Aborting a connection", .timeLimit(.minutes(4)))
struct AbortTests {
  @Test("an aborted TCP connection is a reset to its peer", arguments: Route.tcp)
  func peerSeesReset(_ route: Route) async throws {
    try await withLink(route) { link in
      link.connection.abort()
      let (_, ending) = try await onThread { try link.peer.receiveToEnding() }
      #expect(ending == .reset)
      #expect(link.connection.closeReason == .aborted)
    }
  }

  @Test("an aborted Unix connection is gone for its peer", arguments: Route.unix)
  func peerSeesEnd(_ route: Route) async throws {
    try await withLink(route) { link in
      link.connection.abort()
      let (received, _) = try await onThread { try link.peer.receiveToEnding() }
      #expect(received == [])
      #expect(await failure { try await onThread { try link.peer.send("x") } } != nil)
    }
  }

  @Test("queued output is dropped", arguments: Route.allCases)
  func dropsOutput(_ route: Route) async throws {
    try await withLink(route, hasSmallBuffers: true) { link in
      try await link.connection.sendWithoutWaiting(payload(1_000_000))
      let counters = link.connection.counters
      let written = counters.bytesWritten
      link.connection.abort()
      #expect(link.connection.queued == 0)
      #expect(link.connection.counters == counters, "what was lost is still counted as accepted")
      let (received, _) = try await onThread { try link.peer.receiveToEnding() }
      #expect(received.count <= Int(written))
      #expect(areSame(received, payload(received.count)))
    }
  }

  @Test("everybody who waits is told at once, and whoever comes later too", arguments: Route.allCases)
  func wakesEverybody(_ route: Route) async throws {
    try await withLink(route, hasSmallBuffers: true) { link in
      try await link.connection.sendWithoutWaiting(payload(1_000_000))
      async let reader = socketError { try await link.connection.read() }
      async let sender = socketError { try await link.connection.send("x") }
      async let flusher = socketError { try await link.connection.flush() }
      try await untilReading(link.connection)
      try await untilWriting(link.connection, count: 2)
      link.connection.abort()
      #expect(await reader == .closed)
      #expect(await sender == .closed)
      #expect(await flusher == .closed)
      #expect(await socketError { try await link.connection.read() } == .closed)
      #expect(await socketError { try await link.connection.send("x") } == .closed)
      await link.connection.close()
      #expect(link.connection.closeReason == .aborted)
    }
  }

  @Test("a connection that is dropped without close is aborted and counted", arguments: Network.allCases)
  func abandoned(_ network: Network) async throws {
    let group = try EventLoopGroup(count: 1)
    let loop = group.loops[0]
    var connection: Connection?
    let peer: BlockingPeer
    do {
      let link = try await makeLink(network, on: loop)
      connection = link.connection
      peer = link.peer
    }
    #expect(connection != nil)
    #expect(loop.census.abandonedConnections == 0)
    connection = nil
    let ending = try await onThread { try peer.receiveToEnding().ending }
    #expect(ending == (network == .unix ? .end : .reset))
    #expect(loop.census.abandonedConnections == 1)
    try await eventually("it is forgotten") { loop.census.registrations == 0 }
    await group.shutdown()
  }

  @Test("a framed handle or a sequence keeps the connection", arguments: Route.executors)
  func handlesKeepIt(_ route: Route) async throws {
    try await withAuditedLoops(clock: ManualClock()) { group in
      let peer: BlockingPeer
      let lines: FramedConnection<LineFraming>
      do {
        let link = try await makeLink(route.network, on: group.loops[0])
        peer = link.peer
        lines = link.connection.framed(LineFraming())
      }
      try await run(route, on: group.loops[0]) {
        var iterator = lines.inbound.makeAsyncIterator()
        try peer.send("x\n")
        #expect(try await iterator.next() == "x")
        try peer.halfClose()
        #expect(try await iterator.next() == nil)
        await lines.close()
      }
    }
  }
}
