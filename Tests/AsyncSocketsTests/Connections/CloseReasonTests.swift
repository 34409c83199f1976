import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

@Suite("How a connection ended", .timeLimit(.minutes(4)))
struct CloseReasonTests {
  @Test("while a connection lives it has no reason", arguments: Route.executors)
  func noneWhileOpen(_ route: Route) async throws {
    try await withLink(route) { link in
      #expect(link.connection.closeReason == nil)
      try link.peer.halfClose()
      #expect(try await link.connection.read() == nil)
      #expect(link.connection.closeReason == nil)
    }
  }

  @Test("the first cause stays: closed, then aborted", arguments: Route.allCases)
  func closedThenAborted(_ route: Route) async throws {
    try await withLink(route) { link in
      link.peer.close()
      await link.connection.close()
      link.connection.abort()
      #expect(link.connection.closeReason == .closed)
    }
  }

  @Test("the first cause stays: aborted, then closed", arguments: Route.allCases)
  func abortedThenClosed(_ route: Route) async throws {
    try await withLink(route) { link in
      link.connection.abort()
      await link.connection.close()
      #expect(link.connection.closeReason == .aborted)
    }
  }

  @Test("the first cause stays: reset, then closed", arguments: Route.tcp)
  func resetThenClosed(_ route: Route) async throws {
    try await withLink(route) { link in
      try link.peer.reset()
      #expect(await socketError { try await link.connection.read() }?.isReset == true)
      await link.connection.close()
      link.connection.abort()
      #expect(link.connection.closeReason == .reset)
    }
  }

  @Test("a peer that ended first is named", arguments: Route.allCases)
  func closedByPeer(_ route: Route) async throws {
    try await withLink(route) { link in
      link.peer.close()
      let end = try await link.connection.read()
      #expect(end == nil)
      await link.connection.close()
      #expect(link.connection.closeReason == .closedByPeer)
    }
  }

  @Test("a scope that is left by an error names it", arguments: Route.executors)
  func scopeErrors(_ route: Route) async throws {
    struct Oops: Error, CustomStringConvertible { let description = "oops" }
    let cases: [(any Error, CloseReason)] = [
      (CancellationError(), .cancelled), (Oops(), .handlerThrew("oops")),
      (
        FramingError.tooLong(limit: 10, seen: 11, offset: 0),
        .framing(FramingError.tooLong(limit: 10, seen: 11, offset: 0).description)
      ),
    ]
    for (error, reason) in cases {
      try await withLink(route) { link in
        link.peer.close()
        await link.connection.close(after: error)
        #expect(link.connection.closeReason == reason)
      }
    }
  }

  @Test("many that end a connection at once leave one reason", arguments: Route.allCases)
  func manyAtOnce(_ route: Route) async throws {
    for _ in 0..<20 {
      try await withLink(route) { link in
        try await withThrowingTaskGroup(of: CloseReason?.self) { group in
          for number in 0..<6 {
            group.addTask {
              switch number % 3 {
              case 0: await link.connection.close(after: CancellationError())
              case 1: link.connection.abort()
              default: await link.connection.close()
              }
              return link.connection.closeReason
            }
          }
          link.peer.close()
          var reasons: Set<CloseReason?> = []
          for try await reason in group { reasons.insert(reason) }
          #expect(reasons.count == 1)
          #expect(reasons.first == link.connection.closeReason)
          #expect(reasons != [nil])
        }
      }
    }
  }

  @Test(
    "when the loop stops, whoever waits is told and the connection is aborted (P45)",
    arguments: Network.allCases)
  func loopStops(_ network: Network) async throws {
    let group = try EventLoopGroup(count: 1)
    let link = try await makeLink(network, on: group.loops[0], hasSmallBuffers: true)
    try await link.connection.sendWithoutWaiting(payload(1_000_000))
    async let reader = socketError { try await link.connection.read() }
    async let sender = socketError { try await link.connection.send("x") }
    async let flusher = socketError { try await link.connection.flush() }
    try await untilReading(link.connection)
    try await untilWriting(link.connection, count: 2)
    await group.shutdown()
    #expect(await reader == .loopStopped)
    #expect(await sender == .loopStopped)
    #expect(await flusher == .loopStopped)
    #expect(link.connection.closeReason == .aborted)
    #expect(await socketError { try await link.connection.read() } == .loopStopped)
    await link.connection.close()
    link.peer.close()
  }
}
