import MultiClient
import TCPServer
import TestHarness
import Testing

/// Sends a line, counts what comes back, and closes when that is all.
private struct ByteAsker: ByteHandler {
  private static let line = Array("as it came\n".utf8)
  var bytesReceived = 0
  var loans = 0
  var copies = 0

  func connected(_ context: borrowing HandlerContext<RawFraming>) throws { try context.send(Self.line) }

  mutating func received(_ bytes: RawSpan, _ context: borrowing HandlerContext<RawFraming>) {
    loans += 1
    count(bytes.byteCount, context)
  }

  mutating func received(_ frame: [UInt8], _ context: borrowing HandlerContext<RawFraming>) {
    copies += 1
    count(frame.count, context)
  }

  private mutating func count(_ count: Int, _ context: borrowing HandlerContext<RawFraming>) {
    bytesReceived += count
    if bytesReceived == Self.line.count { context.close() }
  }
}

@Suite("Handlers of bytes", .timeLimit(.minutes(2)))
struct ByteTests {
  @Test("a handler of bytes is lent them, by clients and groups, and each loan counts as a frame")
  func lent() async throws {
    try await withAuditedLoops { _ in
      try await withServer(echo) { server in
        let client = MultiClient<ByteAsker>(framing: .raw)
        let configured = try MultiClient<ByteAsker>(framing: .raw, configuration: MultiClientConfiguration())
        let group = try MultiClientGroup<ByteAsker>(framing: .raw)
        let runs = [
          client.run([server.address]) { _ in ByteAsker() },
          configured.run([server.address]) { _ in ByteAsker() },
          group.run([server.address]) { _ in ByteAsker() },
        ]
        for run in runs {
          let outcomes = await run.all()
          #expect(outcomes.count == 1)
          #expect(outcomes[0].result == .finished(.closed))
          #expect(outcomes[0].handler.bytesReceived == 11)
          #expect(outcomes[0].handler.copies == 0)
          #expect(outcomes[0].framesReceived == UInt64(outcomes[0].handler.loans))
        }
        #expect(await client.statistics.replyLatency.count == 1)
      }
    }
  }
}
