import AsyncSockets
import Peers
import TestHarness
import Testing

@Suite("Races: the last bytes of a peer", .timeLimit(.minutes(10)))
struct RacesEndingsTests {
  @Test("data before a reset is delivered first, every time (P27)", arguments: Route.tcp)
  func dataBeforeReset(_ route: Route) async throws {
    let count = rounds(250, slow: 10_000)
    try await withAuditedLoops(clock: ManualClock()) { group in
      let loop = group.loops[0]
      let source = try ConnectionSource(route.network, on: loop)
      defer { source.close() }
      for round in 0..<count {
        let link = try await source.next()
        let text = bytes("the last words of \(round)")
        try await run(route, on: loop) {
          async let received = link.connection.receive(exactly: text.count)
          if round.isMultiple(of: 2) { try await untilReading(link.connection) }
          try link.peer.send(text)
          try link.peer.reset()
          #expect(try await received == text)
          for _ in 0..<2 { #expect(await socketError { try await link.connection.read() }?.isReset == true) }
        }
        link.connection.abort()
      }
    }
  }

  @Test("data and end of stream arrive whole, every time", arguments: Route.allCases)
  func dataBeforeEnd(_ route: Route) async throws {
    let count = rounds(200, slow: 10_000)
    try await withAuditedLoops(clock: ManualClock()) { group in
      let loop = group.loops[0]
      let source = try ConnectionSource(route.network, on: loop)
      defer { source.close() }
      for round in 0..<count {
        let link = try await source.next()
        let text = payload(1 + round * 37)
        try await run(route, on: loop) {
          async let received = link.connection.receiveToEnd()
          if round.isMultiple(of: 2) { try await untilReading(link.connection) }
          try await onThread {
            try link.peer.send(text)
            link.peer.close()
          }
          #expect(areSame(try await received, text))
        }
        await link.connection.close()
      }
    }
  }

  @Test("a reply and the close behind it arrive whole, every time", arguments: Route.allCases)
  func replyBeforeClose(_ route: Route) async throws {
    let count = rounds(100, slow: 5_000)
    try await withAuditedLoops(clock: ManualClock()) { group in
      let loop = group.loops[0]
      let source = try ConnectionSource(route.network, on: loop)
      defer { source.close() }
      for round in 0..<count {
        let link = try await source.next()
        let reply = payload(1 + round * 1013)
        async let received = onThread {
          try link.peer.send("unread input")
          defer { link.peer.close() }
          return try link.peer.receiveToEnd()
        }
        try await run(route, on: loop) {
          try await link.connection.send(reply)
          await link.connection.close()
        }
        #expect(areSame(try await received, reply))
      }
    }
  }
}
