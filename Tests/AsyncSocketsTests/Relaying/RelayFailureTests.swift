import Framing
import Glibc
import Peers
import TestHarness
import Testing

@testable import AsyncSockets

@Suite("A relay that does not end well", .serialized, .timeLimit(.minutes(4)))
struct RelayFailureTests {
  @Test("a reset of one side is a reset of the other", arguments: Route.tcp, [true, false])
  func reset(_ route: Route, ofClient: Bool) async throws {
    try await withRelay(route) { link in
      async let report = link.run()
      let (near, far) = ofClient ? (link.client, link.server) : (link.server, link.client)
      try await untilReading(near.connection)
      try near.peer.reset()
      let (received, ending) = try await onThread { try far.peer.receiveToEnding() }
      #expect(received == [] && ending == .reset)
      let (nearSide, farSide) =
        ofClient
        ? (try await report.first, try await report.second)
        : (try await report.second, try await report.first)
      #expect(nearSide.ending.isReset)
      #expect(farSide.ending == .reset)
      #expect(near.connection.closeReason == .reset)
      #expect(far.connection.closeReason == .aborted)
    }
  }

  @Test(
    "a reset of a side that takes nothing is passed on, however much waits for it", arguments: Route.tcp)
  func resetWhileStuck(_ route: Route) async throws {
    try await withRelay(route, hasSmallBuffers: true) { link in
      async let report = link.run()
      async let sent = failure { try await onThread { try link.client.peer.send(payload(16_000_000)) } }
      try await untilWriting(link.server.connection)
      try link.server.peer.reset()
      #expect(await sent != nil)
      #expect(try await report.second.ending.isReset)
      #expect(try await report.first.ending == .reset)
      #expect(link.server.connection.queued == 0)
    }
  }

  @Test("what a side sent before it broke is passed on before the other is reset", arguments: Route.tcp)
  func dataBeforeReset(_ route: Route) async throws {
    try await withRelay(route) { link in
      let reply = payload(20_000)
      try link.server.peer.send(reply)
      try link.server.peer.reset()
      let report = try await link.run()
      #expect(report.second.bytes == 20_000 && report.second.ending.isReset)
      #expect(link.client.connection.counters.bytesWritten == 20_000)
      #expect(report.first.ending == .reset)
    }
  }

  @Test("a side that has ended and then goes away has the other reset", arguments: Route.allCases)
  func goneAfterItsEnd(_ route: Route) async throws {
    try await withRelay(route) { link in
      async let report = link.run()
      try link.server.peer.send("reply")
      link.server.peer.close()
      #expect(try await onThread { try link.client.peer.receiveToEnd() } == bytes("reply"))
      let stopped = await failure {
        try await onThread { while true { try link.client.peer.send(payload(10_000)) } }
      }
      #expect(stopped != nil)
      #expect(try await report.second.bytes == 5)
      #expect(try await report.second.ending.tellsOfPeerGone)
      #expect(try await report.first.ending == .reset)
    }
  }

  @Test("cancelled, it resets both sides at once", arguments: Route.allCases, [true, false])
  func cancelled(_ route: Route, whileStuck: Bool) async throws {
    try await withRelay(route, hasSmallBuffers: true) { link in
      if whileStuck { _ = try link.client.peer.sendWithoutWaiting(payload(1_000_000)) }
      let error = try await AsyncSocketsTests.cancelled(
        once: {
          let isStuck = try waitingWriters(link.server.connection) == 1
          return hasReader(link.server.connection)
            && (whileStuck ? isStuck : hasReader(link.client.connection))
        },
        { _ = try await link.run() })
      #expect(error is CancellationError)
      for side in [link.client, link.server] {
        #expect(side.connection.closeReason == .cancelled)
        #expect(descriptorNumber(of: side.connection) == nil)
      }
      #expect(link.clock.now == EventLoop.Instant(nanoseconds: 0))
    }
  }

  @Test("cancelled before it begins, it ends both sides and moves nothing (P40)", arguments: Route.allCases)
  func cancelledBefore(_ route: Route) async throws {
    try await withRelay(route) { link in
      try link.client.peer.send("never")
      try await eventually("it is there") { unreadInKernel(link.client.connection) == 5 }
      await withTaskGroup(of: Void.self) { group in
        group.cancelAll()
        group.addTask { #expect(await failure { try await link.run() } is CancellationError) }
      }
      #expect(link.client.connection.counters.bytesRead == 0)
      #expect(link.server.connection.closeReason == .cancelled)
    }
  }

  @Test(
    "while somebody reads from a side it is refused, and nothing has happened (P42)",
    arguments: Route.allCases)
  func busy(_ route: Route) async throws {
    try await withRelay(route) { link in
      for side in [link.client, link.server] {
        async let read = side.connection.read()
        try await untilReading(side.connection)
        #expect(await socketError { try await link.run() }?.isBusy == true)
        try side.peer.send("x")
        #expect(try await read == bytes("x"))
      }
      async let report = link.run()
      try await untilReading(link.client.connection)
      #expect(await socketError { try await link.client.connection.read() }?.isBusy == true)
      try link.client.peer.halfClose()
      try link.server.peer.halfClose()
      #expect(try await report.first.ending == .ended)
    }
  }

  @Test("a connection is not relayed with itself", arguments: Route.executors)
  func sameTwice(_ route: Route) async throws {
    try await withRelay(route) { link in
      let error = await socketError { try await relay(link.client.connection, link.client.connection) }
      #expect(error?.isInvalid == true)
      try link.client.peer.send("x")
      #expect(try await link.client.connection.read() == bytes("x"))
    }
  }

  @Test("a side that somebody closes ends it", arguments: Route.allCases)
  func closedMeanwhile(_ route: Route) async throws {
    try await withRelay(route) { link in
      async let report = link.run()
      try await untilReading(link.client.connection)
      link.client.connection.abort()
      #expect(try await report.first.ending == .failed(.closed))
      #expect(try await report.second.ending == .reset)
    }
  }

  @Test("a side that takes nothing for its limit ends it (P32)", arguments: Route.allCases)
  func writeStall(_ route: Route) async throws {
    try await withRelay(route, hasSmallBuffers: true) { link in
      _ = try link.client.peer.sendWithoutWaiting(payload(1_000_000))
      async let report = link.run()
      try await eventually("it is stuck") { try waitingWriters(link.server.connection) == 1 }
      link.clock.advance(by: .seconds(31))
      #expect(try await report.second.ending == .failed(.limit(.writeStall)))
      #expect(try await report.first.ending == .reset)
    }
  }

  @Test("of a drain, what had arrived is passed on, and then its end", arguments: Route.allCases)
  func drained(_ route: Route) async throws {
    try await withRelay(route) { link in
      try link.client.peer.send("last request")
      try await eventually("it is there") { unreadInKernel(link.client.connection) == 12 }
      link.client.connection.handle.beginDrain()
      try link.client.peer.send("too late")
      try await eventually("it is there") { unreadInKernel(link.client.connection) == 20 }
      async let report = link.run()
      #expect(try await onThread { try link.server.peer.receiveToEnd() } == bytes("last request"))
      try link.server.peer.send("last reply")
      try link.server.peer.halfClose()
      #expect(try await onThread { try link.client.peer.receiveToEnd() } == bytes("last reply"))
      #expect(try await report.first.bytes == 12)
    }
  }

  @Test("when the loop stops, it ends (P45)", arguments: Network.allCases)
  func loopStops(_ network: Network) async throws {
    let loop = try EventLoop()
    let client = try await makeLink(network, on: loop)
    let server = try await makeLink(network, on: loop)
    async let report = relay(client.connection, server.connection)
    try await untilReading(client.connection)
    try await untilReading(server.connection)
    await loop.shutdown()
    let endings = [try await report.first.ending, try await report.second.ending]
    #expect(endings.contains(.failed(.loopStopped)))
    client.peer.close()
    server.peer.close()
  }
}
