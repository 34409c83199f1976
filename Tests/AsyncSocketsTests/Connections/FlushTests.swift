import AsyncSockets
import Peers
import TestHarness
import Testing

@Suite("Flushing a connection", .timeLimit(.minutes(4)))
struct FlushTests {
  @Test("a flush returns when the kernel has what was sent before, and not sooner", arguments: Route.allCases)
  func waitsForTheKernel(_ route: Route) async throws {
    try await withLink(route, hasSmallBuffers: true) { link in
      let message = payload(1_000_000)
      async let sending: Void = link.connection.send(message)
      try await eventually("it is accepted") { link.connection.counters.bytesAccepted == 1_000_000 }
      let flushes = Count()
      async let flushing: Void = {
        try await link.connection.flush()
        #expect(link.connection.queued == 0)
        flushes.increase()
      }()
      try await untilWriting(link.connection, count: 2)
      #expect(flushes.value == 0)
      #expect(areSame(try await onThread { try link.peer.receive(exactly: 1_000_000) }, message))
      try await sending
      try await flushing
      #expect(link.connection.counters.bytesWritten == 1_000_000)
    }
  }

  @Test("scenario F10: one flush serves all the sends before it", arguments: Route.allCases)
  func oneFlushForAll(_ route: Route) async throws {
    try await withLink(route) { link in
      for text in ["a", "b", "c"] { try await link.connection.send(text) }
      try await link.connection.flush()
      #expect(link.connection.queued == 0)
      #expect(try await onThread { try link.peer.receive(exactly: 3) } == bytes("abc"))
    }
  }

  @Test(
    "scenario F10: an empty send sends nothing, and flush and close after it work", arguments: Route.allCases)
  func emptySend(_ route: Route) async throws {
    try await withLink(route) { link in
      try await link.connection.send([])
      try await link.connection.send("")
      try await link.connection.flush()
      #expect(link.connection.counters.bytesAccepted == 0)
      async let received = onThread {
        defer { link.peer.close() }
        return try link.peer.receiveToEnd()
      }
      await link.connection.close()
      #expect(try await received == [])
    }
  }

  @Test("a flush does not wait for what is sent after it", arguments: Place.allCases)
  func earlierOutputOnly(_ place: Place) async throws {
    let transport = ScriptedTransport()
    transport.block()
    try await withScript(place, transport) { link in
      try await link.connection.send("first")
      async let flushing: Void = link.connection.flush()
      try await untilWriting(link.connection)
      try await link.connection.send("second")
      transport.unblock(room: 5)
      try await flushing
      #expect(link.connection.queued == 6)
      transport.unblock()
      try await link.connection.flush()
      #expect(transport.record.written == bytes("firstsecond"))
    }
  }

  @Test("a cancelled flush throws, and the bytes still go", arguments: Route.allCases)
  func cancelledFlush(_ route: Route) async throws {
    try await withLink(route, hasSmallBuffers: true) { link in
      let message = payload(1_000_000)
      async let sending: Void = link.connection.send(message)
      try await eventually("it is accepted") { link.connection.counters.bytesAccepted == 1_000_000 }
      try await untilWriting(link.connection)
      let error = try await cancelled(once: { try waitingWriters(link.connection) == 2 }) {
        try await link.connection.flush()
      }
      #expect(error is CancellationError)
      #expect(areSame(try await onThread { try link.peer.receive(exactly: 1_000_000) }, message))
      try await sending
      try await link.connection.flush()
    }
  }

  @Test("a flush of nothing returns at once, also when nothing can be written", arguments: Place.allCases)
  func nothingToFlush(_ place: Place) async throws {
    let transport = ScriptedTransport()
    transport.block()
    try await withScript(place, transport) { link in
      try await link.connection.flush()
      #expect(transport.record.writes == 0)
    }
  }

  @Test("a flush throws the reset that it meets, and so does everything after it", arguments: Route.tcp)
  func resetDuringFlush(_ route: Route) async throws {
    try await withLink(route, hasSmallBuffers: true) { link in
      async let sending: Void = link.connection.send(payload(1_000_000))
      try await eventually("it is accepted") { link.connection.counters.bytesAccepted == 1_000_000 }
      async let flushError = socketError { try await link.connection.flush() }
      try await untilWriting(link.connection, count: 2)
      try link.peer.reset()
      #expect(await flushError?.isReset == true)
      // It was accepted before the reset: its loss shows from the next call on.
      try await sending
      for _ in 0..<2 {
        #expect(await socketError { try await link.connection.flush() }?.isReset == true)
        #expect(await socketError { try await link.connection.send("x") }?.isReset == true)
        #expect(await socketError { try await link.connection.read() }?.isReset == true)
      }
      #expect(link.connection.closeReason == .reset)
    }
  }
}
