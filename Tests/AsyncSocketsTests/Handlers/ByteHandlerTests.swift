import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

/// Echoes what is lent to it, and does something else on certain bytes.
private struct Echo: ByteHandler {
  var received = 0
  var calls = 0
  var refusals: [SocketError] = []

  mutating func received(_ bytes: RawSpan, _ context: borrowing HandlerContext<RawFraming>) throws {
    received += bytes.byteCount
    calls += 1
    try context.send(bytes)
    let last = unsafe bytes.unsafeLoad(fromByteOffset: bytes.byteCount - 1, as: UInt8.self)
    switch last {
    case UInt8(ascii: "!"): throw Refused()
    case UInt8(ascii: "."):
      try context.finishWriting()
      do { try context.send(bytes) } catch let error as SocketError { refusals.append(error) }
    case UInt8(ascii: "#"):
      try context.send([UInt8](repeating: 1, count: 40_000))
      try context.send([2, 2, 2])
      #expect(context.counters.bytesAccepted == UInt64(received + 40_003))
      context.close()
    default: break
    }
  }

  struct Refused: Error {}
}

private final class Last: Sendable {
  let echo = Lock<Echo?>(nil)
}

/// Runs the handler beside a body that plays the peer.
private func withEcho(
  _ route: Route, _ body: @escaping @Sendable (Link) async throws -> Void
) async throws -> Echo {
  let result = Last()
  try await withLink(route) { link in
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        let last = try await link.connection.run(Echo())
        result.echo.withLock { $0 = last }
      }
      try await body(link)
      try await group.waitForAll()
    }
  }
  return try #require(result.echo.withLock { $0 })
}

@Suite("A handler of bytes", .timeLimit(.minutes(2)))
struct ByteHandlerTests {
  @Test("is lent every byte in order", arguments: Route.allCases)
  func lending(_ route: Route) async throws {
    let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7 | 0x80) }
    let echo = try await withEcho(route) { link in
      try await onThread {
        for start in stride(from: 0, to: bytes.count, by: 50_000) {
          let piece = Array(bytes[start..<(start + 50_000)])
          try link.peer.send(piece)
          #expect(try link.peer.receive(exactly: piece.count) == piece)
        }
      }
      link.peer.close()
    }
    #expect(echo.received == bytes.count)
  }

  @Test("is lent what had arrived before and nobody had taken")
  func leftovers() async throws {
    try await withLink(.first) { link in
      try link.peer.send("key: value")
      #expect(try await link.connection.read(exactly: 4) == Array("key:".utf8))
      try link.peer.halfClose()
      let echo = try await link.connection.run(Echo())
      #expect(echo.received == 6)
      let (received, _) = try await onThread { try link.peer.receiveToEnding() }
      #expect(received == Array(" value".utf8))
    }
  }

  @Test("whose callback throws has sent all the same what it sent before")
  func throwing() async throws {
    _ = try await withEcho(.first) { link in
      try link.peer.send("now!")
      let (received, _) = try await onThread { try link.peer.receiveToEnding() }
      #expect(received == Array("now!".utf8))
      link.peer.close()
    }
  }

  @Test("can't send behind the end of its stream, which follows what it sent before")
  func finished() async throws {
    let echo = try await withEcho(.first) { link in
      try link.peer.send("end.")
      let (received, ending) = try await onThread { try link.peer.receiveToEnding() }
      #expect(received == Array("end.".utf8))
      #expect(ending == .end)
      link.peer.close()
    }
    #expect(echo.refusals == [.finishedWriting])
  }

  @Test("sends in order, whatever the sizes, and counts at once")
  func sizes() async throws {
    _ = try await withEcho(.first) { link in
      try link.peer.send("#")
      let (received, _) = try await onThread { try link.peer.receiveToEnding() }
      #expect(received == Array("#".utf8) + [UInt8](repeating: 1, count: 40_000) + [2, 2, 2])
      link.peer.close()
    }
  }
}
