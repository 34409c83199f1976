import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

@Suite("Whole conversations", .timeLimit(.minutes(4)))
struct ConversationTests {
  @Test(
    "scenario F1: rot13 with reads of 10 bytes at both ends, each send flushed", arguments: Route.allCases)
  func rot13(_ route: Route) async throws {
    try await withLink(route) { link in
      let first = "1: this is a test"
      let second = "2: " + first.rot13
      async let seen = onThread {
        var replies: [[UInt8]] = []
        for text in [first, second] {
          try link.peer.send(text)
          var reply: [UInt8] = []
          while reply.count < text.utf8.count {
            reply += try link.peer.receive(atMost: min(10, text.utf8.count - reply.count))
          }
          replies.append(reply)
        }
        link.peer.close()
        return replies
      }
      var sends: UInt64 = 0
      while let chunk = try await link.connection.read(atMost: 10) {
        #expect(chunk.count <= 10)
        sends += UInt64(chunk.count)
        try await link.connection.send(String(decoding: chunk, as: UTF8.self).rot13)
        try await link.connection.flush()
        #expect(link.connection.counters.bytesWritten == sends)
      }
      #expect(try await seen == [bytes(first.rot13), bytes("2: " + first)])
      await link.connection.close()
      #expect(link.connection.closeReason == .closedByPeer)
    }
  }

  @Test("lines come split, joined and unfinished, and each is answered once", arguments: Route.allCases)
  func splitLines(_ route: Route) async throws {
    try await withLink(route) { link in
      let text = bytes("one\r\ntwo\n\nfour\nä€😀\nlast")
      async let received = onThread {
        try link.peer.send(text, pieces: Array(repeating: 1, count: 20))
        try link.peer.halfClose()
        return try link.peer.receiveToEnd()
      }
      let lines = link.connection.framed(LineFraming())
      var seen: [String] = []
      for try await line in lines.inbound {
        seen.append(line)
        try await lines.send("<\(line)>")
      }
      #expect(seen == ["one", "two", "", "four", "ä€😀", "last"])
      await lines.close()
      #expect(try await received == bytes(seen.map { "<\($0)>\n" }.joined()))
    }
  }

  @Test("bytes that are no text are an error of the codec, again and again", arguments: Route.allCases)
  func invalidText(_ route: Route) async throws {
    try await withLink(route) { link in
      try link.peer.send(bytes("ok\n") + [0x61, 0xFF, 0x62, 0x0A] + bytes("more\n"))
      let lines = link.connection.framed(LineFraming())
      #expect(try await lines.next() == "ok")
      for _ in 0..<3 {
        #expect(await failure { try await lines.next() } as? FramingError == .invalidUTF8(offset: 4))
      }
      #expect(link.connection.closeReason == nil)
      try await lines.send("still writes")
      #expect(try await onThread { try link.peer.receiveLine() } == "still writes")
    }
  }

  @Test("the same bytes are exact as byte lines", arguments: Route.allCases)
  func byteLines(_ route: Route) async throws {
    try await withLink(route) { link in
      try link.peer.send([0x61, 0xFF, 0x62, 0x0A, 0xC0, 0x80, 0x0A])
      try link.peer.halfClose()
      let lines = link.connection.framed(LineFraming().bytes)
      var seen: [[UInt8]] = []
      for try await line in lines.inbound {
        seen.append(line)
        try await lines.send(line)
      }
      #expect(seen == [[0x61, 0xFF, 0x62], [0xC0, 0x80]])
      try await lines.finishWriting()
      #expect(
        try await onThread { try link.peer.receiveToEnd() } == [0x61, 0xFF, 0x62, 0x0A, 0xC0, 0x80, 0x0A])
    }
  }

  @Test(
    "a line that is too long is an error, and the reader holds no more than the limit",
    arguments: Route.allCases)
  func tooLong(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(try LineFraming(maximumLength: 1000))
      async let sending: Void = onThread {
        // Until the other side is gone.
        while (try? link.peer.send(Array(repeating: 0x61, count: 10_000))) != nil {}
      }
      let error = await failure { try await lines.next() } as? FramingError
      #expect(error == .tooLong(limit: 1000, seen: 1001, offset: 0))
      #expect(link.connection.counters.bytesRead <= 1001 + 65_536)
      await link.connection.close(after: error ?? CancellationError())
      #expect(link.connection.closeReason == .framing(error?.description ?? ""))
      try await sending
    }
  }
}

extension String {
  fileprivate var rot13: String {
    String(decoding: utf8.map { Self.rotated($0) }, as: UTF8.self)
  }

  private static func rotated(_ byte: UInt8) -> UInt8 {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"): (byte - 97 + 13) % 26 + 97
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): (byte - 65 + 13) % 26 + 65
    default: byte
    }
  }
}
