import AsyncSockets
import Peers
import TestHarness
import Testing

// Every way in which a peer can end a connection or a part of it, whoever waits at that moment, over every kind of
// socket, on the loop and off it. A row tells what each call answers, the first and every later one.

@Suite("Every way in which a peer can end", .timeLimit(.minutes(30)))
struct EndingMatrixTests {
  @Test("nothing: whoever waits goes on waiting (P52)", arguments: Waiting.allCases, Route.allCases)
  func nothing(_ waiting: Waiting, _ route: Route) async throws {
    let row = Row(name: "nothing", reason: .closed) { _ in }
    try await check(row, waiting, route)
  }

  @Test(
    "its stream alone: the end for reads, and sends go on (P52)", arguments: Waiting.allCases, Route.allCases)
  func halfClose(_ waiting: Waiting, _ route: Route) async throws {
    let row = Row(name: "half-close", reads: [.end], reason: .closedByPeer) { try $0.halfClose() }
    try await check(row, waiting, route)
  }

  @Test(
    "by a close, all read: the end for reads, a broken pipe for sends (P52)", arguments: Waiting.allCases,
    Route.allCases)
  func close(_ waiting: Waiting, _ route: Route) async throws {
    let row = Row(
      name: "close", reads: [.end], waitingWriter: [.done, .brokenPipe], sends: .brokenPipe,
      takesSomeFirst: true, flushes: .brokenPipe, finishes: .brokenPipe,
      reason: .failed(Errno(rawValue: 32), call: "send"), peerReads: false, stallsInKernel: true
    ) { $0.close() }
    try await check(row, waiting, route)
  }

  @Test(
    "by a close with input unread: a reset for everything, for ever (P52)", arguments: Waiting.allCases,
    Route.allCases)
  func closeUnread(_ waiting: Waiting, _ route: Route) async throws {
    var row = Row.reset("close with unread input") { $0.close() }
    row.leavesInput = true
    try await check(row, waiting, route)
  }

  @Test("by a reset: a reset for everything, for ever (P52)", arguments: Waiting.allCases, Route.tcp)
  func reset(_ waiting: Waiting, _ route: Route) async throws {
    try await check(Row.reset("reset") { try $0.reset() }, waiting, route)
  }

  @Test(
    "by data and a reset: the data, then the reset (P52, P27)", arguments: Waiting.allCases, Route.allCases)
  func dataThenReset(_ waiting: Waiting, _ route: Route) async throws {
    var row = Row.reset("data, then reset") { peer in
      try peer.send("data")
      if route.network == .unix { peer.close() } else { try peer.reset() }
    }
    row.reads = [.data("data"), .reset]
    // A Unix socket knows no other reset.
    row.leavesInput = route.network == .unix
    try await check(row, waiting, route)
  }

  @Test(
    "in the accept queue, by a reset: a connection that is reset (P52)", arguments: Waiting.allCases,
    Route.tcp)
  func resetInQueue(_ waiting: Waiting, _ route: Route) async throws {
    try await withAuditedLoops(clock: ManualClock()) { group in
      let source = try ConnectionSource(route.network, on: group.loops[0])
      defer { source.close() }
      for _ in 0..<rounds(2, slow: 100) {
        let peer = try await source.connect()
        try peer.reset()
        let connection = try await source.accept(peer).connection
        try await run(route, on: group.loops[0]) {
          async let read = waiting.hasReader ? connection.answerToRead() : nil
          async let sent = waiting.hasWriter ? connection.answerToSend() : nil
          let answers = [await read, await sent].compactMap(\.self)
          #expect(answers.allSatisfy { $0 == .reset }, "\(answers)")
          for _ in 0..<3 {
            #expect(await connection.answerToRead() == .reset)
            #expect(await connection.answerToSend() == .reset)
            #expect(await connection.answerToFlush() == .reset)
          }
          await connection.close()
          #expect(connection.closeReason == .reset)
        }
        let next = try await source.next()
        try next.peer.send("served")
        #expect(try await next.connection.read() == bytes("served"))
        next.connection.abort()
      }
    }
  }

  @Test(
    "after this side's stream has ended: all that it sends is read, to its end (P52)",
    arguments: Waiting.allCases, Route.allCases)
  func afterOurEnd(_ waiting: Waiting, _ route: Route) async throws {
    let row = Row(
      name: "half-closed here, data, then the end", reads: [.data("data"), .end], sends: .closed,
      reason: .closedByPeer, isEnded: true
    ) { peer in
      try peer.send("data")
      try peer.halfClose()
    }
    try await check(row, waiting, route)
  }

  @Test(
    "both streams: the end for reads, closed for sends (P52)", arguments: Waiting.allCases, Route.allCases)
  func bothEnd(_ waiting: Waiting, _ route: Route) async throws {
    let row = Row(
      name: "both half-close", reads: [.end], sends: .closed, reason: .closedByPeer, isEnded: true
    ) { try $0.halfClose() }
    try await check(row, waiting, route)
  }

  private func check(_ row: Row, _ waiting: Waiting, _ route: Route) async throws {
    let kernel = CountingKernel()
    try await withLoop(clock: ManualClock(), kernel: kernel) { loop in
      // At least four: each direction is the first to notice, at once and after some turns.
      for round in 0..<rounds(4, slow: 100) {
        let link = try await makeLink(
          route.network, on: loop, hasSmallBuffers: waiting.hasWriter && !row.stallsInKernel)
        defer {
          link.connection.abort()
          link.peer.close()
        }
        let cell = Cell(
          row: row, waiting: waiting, route: route, round: round, kernel: kernel, link: link)
        try await run(route, on: loop) { try await cell.play() }
      }
    }
  }
}

extension Row {
  /// A connection that is no more.
  fileprivate static func reset(
    _ name: String, _ act: @escaping @Sendable (BlockingPeer) throws -> Void
  ) -> Row {
    Row(
      name: name, reads: [.reset], waitingWriter: [.reset], sends: .reset, flushes: .reset,
      finishes: .reset, reason: .reset, peerReads: false, act: act)
  }
}
