import AsyncSockets
import Peers
import TestHarness
import Testing

@Suite("Reading for long", .timeLimit(.minutes(4)))
struct LongReadTests {
  @Test("a reader that never has to wait reads on, however long (P31)", arguments: Route.executors)
  func withoutWaiting(_ route: Route) async throws {
    // More reads than 16 bits count.
    let count = 70_000
    try await withLink(route) { link in
      async let sending: Void = onThread { try link.peer.send(payload(count)) }
      try await sending
      var received: [UInt8] = []
      while received.count < count, let byte = try await link.connection.read(atMost: 1) { received += byte }
      #expect(areSame(received, payload(count)))
    }
  }
}
