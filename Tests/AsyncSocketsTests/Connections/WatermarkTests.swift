import AsyncSockets
import Peers
import TestHarness
import Testing

@Suite("Sending under pressure", .timeLimit(.minutes(4)))
struct WatermarkTests {
  @Test("scenario F9: watermarks that can't work are refused")
  func invalidMarks() {
    for (high, low) in [(0, 0), (10, 0), (0, 10), (-1, -1), (10, -5), (10, 11), (1, .max)] {
      do {
        _ = try Watermarks(high: high, low: low)
        Issue.record("high \(high), low \(low) was accepted")
      } catch {
        #expect(error.isInvalid)
      }
    }
    #expect(throws: Never.self) { try Watermarks(high: 10, low: 10) }
    #expect(Watermarks.standard.high == 65_536 && Watermarks.standard.low == 32_768)
  }

  @Test(
    "scenario F7: a writer waits above the high mark, and goes on once, at the low one",
    arguments: Place.allCases)
  func highAndLow(_ place: Place) async throws {
    let transport = ScriptedTransport()
    transport.block()
    let one = payload(15_000)
    let other = payload(15_000, seed: 1)
    try await withScript(place, transport, options: try .marks(high: 20_000, low: 10_000)) { link in
      try await link.connection.send(one)
      #expect(link.connection.queued == 15_000)
      let returned = Count()
      async let second: Void = {
        try await link.connection.send(other)
        returned.increase()
      }()
      try await untilWriting(link.connection)
      #expect(link.connection.queued == 30_000)

      transport.unblock(room: 19_999)
      try await eventually("it was taken") { link.connection.queued == 10_001 }
      for _ in 0..<3 { await link.loop.nextTurn() }
      #expect(returned.value == 0)

      transport.unblock(room: 1)
      try await second
      #expect(link.connection.queued == 10_000)
      transport.unblock()
      try await link.connection.flush()
      #expect(areSame(transport.record.written, one + other))
    }
  }

  @Test("those who wait their turn are let in first come, first served", arguments: Place.allCases)
  func firstComeFirstServed(_ place: Place) async throws {
    let transport = ScriptedTransport()
    transport.block()
    try await withScript(place, transport, options: try .marks(high: 10, low: 5)) { link in
      try await link.connection.sendWithoutWaiting("0123456789")
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<10 {
          group.addTask { try await link.connection.send("<\(number)>") }
          try await untilWriting(link.connection, count: number + 1)
        }
        #expect(link.connection.queued == 10)
        transport.unblock()
        try await group.waitForAll()
      }
      try await link.connection.flush()
      #expect(
        String(decoding: transport.record.written, as: UTF8.self)
          == "0123456789<0><1><2><3><4><5><6><7><8><9>")
    }
  }

  @Test("who comes later does not overtake those who wait", arguments: Place.allCases)
  func noOvertaking(_ place: Place) async throws {
    let transport = ScriptedTransport()
    transport.block()
    try await withScript(place, transport, options: try .marks(high: 10, low: 5)) { link in
      try await link.connection.sendWithoutWaiting("0123456789")
      async let first: Void = link.connection.send("first,")
      try await untilWriting(link.connection)
      // Below the high mark now, yet not at the low one.
      transport.unblock(room: 3)
      try await eventually("it was taken") { link.connection.queued == 7 }
      async let second: Void = link.connection.send("second")
      try await untilWriting(link.connection, count: 2)
      #expect(link.connection.queued == 7)
      transport.unblock()
      try await first
      try await second
      try await link.connection.flush()
      #expect(String(decoding: transport.record.written, as: UTF8.self) == "0123456789first,second")
    }
  }

  @Test("the buffer holds at most the high mark and one message (P30)", arguments: Route.allCases)
  func bound(_ route: Route) async throws {
    try await withLink(route, options: try .marks(high: 50_000, low: 20_000), hasSmallBuffers: true) { link in
      let size = 30_000
      let highest = Count()
      async let watching: Void = {
        while highest.value < 50_000, link.connection.counters.bytesAccepted < UInt64(40 * size) {
          let queued = Int(link.connection.queued)
          if queued > highest.value { highest.increase(by: queued - highest.value) }
          await link.loop.nextTurn()
        }
      }()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<4 {
          group.addTask {
            for _ in 0..<10 {
              try await link.connection.send(payload(size))
              #expect(link.connection.queued < UInt64(50_000 + size))
            }
          }
        }
        try await eventually("three wait") { try waitingWriters(link.connection) >= 3 }
        #expect((20_001..<50_000 + size).contains(Int(link.connection.queued)))
        async let received = onThread { try link.peer.receive(exactly: 40 * size) }
        try await group.waitForAll()
        #expect(try await received.count == 40 * size)
      }
      await watching
      #expect(highest.value < 50_000 + size)
    }
  }

  @Test("a peer that never reads bounds what its writer can queue (P30)", arguments: Route.allCases)
  func neverReads(_ route: Route) async throws {
    try await withLink(route, hasSmallBuffers: true) { link in
      let error = try await cancelled(once: { try waitingWriters(link.connection) == 1 }) {
        while !Task.isCancelled { try await link.connection.send(payload(1000)) }
        try Task.checkCancellation()
      }
      #expect(error is CancellationError)
      // It waits for the low mark, and what is above that waits for the peer.
      #expect((32_769..<66_536).contains(Int(link.connection.queued)))
    }
  }
}

extension Connection {
  /// Sends what fills the buffer to its high mark or beyond, without waiting for it to drain.
  func sendWithoutWaiting(_ text: String) async throws {
    try await sendWithoutWaiting(bytes(text))
  }

  /// Sends what fills the buffer to its high mark or beyond, without waiting for it to drain.
  func sendWithoutWaiting(_ bytes: [UInt8]) async throws {
    let before = counters.bytesAccepted
    let error = try await cancelled(once: { self.counters.bytesAccepted > before }) {
      try await self.send(bytes)
    }
    // Accepted is accepted: a cancellation after that is no error.
    #expect(error == nil)
  }
}
