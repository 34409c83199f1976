import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

@Suite("One reader at a time", .timeLimit(.minutes(4)))
struct BusyTests {
  @Test("a second reader is refused, and the first is not disturbed (P42)", arguments: Route.allCases)
  func secondReader(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      async let first = lines.next()
      try await untilReading(link.connection)

      #expect(await socketError { try await lines.next() }?.isBusy == true)
      #expect(await socketError { try await link.connection.read() }?.isBusy == true)
      #expect(await socketError { try await link.connection.readBytes(capacity: 9) }?.isBusy == true)
      var iterator = link.connection.inbound.makeAsyncIterator()
      do {
        _ = try await iterator.next()
        Issue.record("somebody reads already")
      } catch let error as SocketError {
        #expect(error.isBusy)
      }
      #expect(await socketError { try lines.switching(to: RawFraming()) }?.isBusy == true)

      try link.peer.send("for the first\nfor the next\n")
      #expect(try await first == "for the first")
      #expect(try await lines.next() == "for the next")
    }
  }

  @Test("after the first reader's cancellation the next is welcome (P42)", arguments: Route.executors)
  func afterCancellation(_ route: Route) async throws {
    try await withLink(route) { link in
      let error = try await cancelled(once: { hasReader(link.connection) }) {
        _ = try await link.connection.read()
      }
      #expect(error is CancellationError)
      try link.peer.send("x")
      #expect(try await link.connection.read() == bytes("x"))
    }
  }

  @Test("a reader does not keep others from sending", arguments: Route.allCases)
  func sendingBesideReading(_ route: Route) async throws {
    try await withLink(route) { link in
      async let received = link.connection.read()
      try await untilReading(link.connection)
      try await link.connection.send("from this side")
      try await link.connection.flush()
      #expect(try await onThread { try link.peer.receive(exactly: 14) } == bytes("from this side"))
      try link.peer.send("reply")
      #expect(try await received == bytes("reply"))
    }
  }
}
