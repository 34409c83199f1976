import Peers
import TestHarness
import Testing

@Suite("rot13 over the wire", .timeLimit(.minutes(4)))
struct Rot13BytesTests {
  @Test("each line comes back with the terminator that it came with, however it is cut into segments")
  func terminators() async throws {
    let text = "Uryyb\nJbeyq\r\n\n\r\nyvar jvgu \r va vg\nynfg"
    try await withRot13 { server in
      let bytes = Array(text.utf8)
      for cut in 0...bytes.count {
        let peer = try await server.connect()
        try await onThread {
          try peer.send(bytes, pieces: [cut])
          try peer.halfClose()
          try peer.expectEnd(after: rot13(text))
        }
        peer.close()
      }
      let peer = try await server.connect()
      try await onThread {
        try peer.send(bytes, pieces: bytes.map { _ in 1 })
        try peer.halfClose()
        try peer.expectEnd(after: rot13(text))
      }
      peer.close()
    }
  }

  @Test("bytes that are no ASCII letters come back as they are, invalid UTF-8 included")
  func anyBytes() async throws {
    let bytes = (0...255).map { UInt8($0) }.filter { $0 != 10 } + [10, 0xff, 0xfe, 0xc3, 0x28, 13, 10, 0, 10]
    try await withRot13 { server in
      let peer = try await server.connect()
      let reply = try await onThread {
        try peer.send(bytes)
        return try peer.receive(exactly: bytes.count)
      }
      #expect(reply == rot13(bytes))
      peer.close()
    }
  }

  @Test("100,000 pipelined lines come back, in order")
  func pipelined() async throws {
    let text = (0..<100_000).map { "line \($0) of the flood\n" }.joined()
    let expected = rot13(Array(text.utf8))
    try await withRot13 { server in
      let peer = try await server.connect()
      async let sending: Void = onThread {
        try peer.send(text)
        try peer.halfClose()
      }
      let reply = try await onThread { try peer.receiveToEnd() }
      try await sending
      #expect(reply.count == expected.count)
      #expect(reply == expected)
      peer.close()
    }
  }

  @Test("a line that is too long ends its connection, after the answers to the lines before it, and no other")
  func overlongLine() async throws {
    try await withRot13 { server in
      let other = try await server.connect()
      let peer = try await server.connect()
      let longest = String(repeating: "n", count: 65_536)
      let (bytes, _) = try await onThread {
        try peer.send("bar\n\(longest)\n\(longest)n")
        return try peer.receiveToEnding()
      }
      #expect(String(decoding: bytes, as: UTF8.self) == rot13("bar\n\(longest)\n"))
      peer.close()
      #expect(try await other.ask("fgvyy urer") == "still here")
      other.close()
    }
  }

  @Test("a client that resets at any moment disturbs no other")
  func resets() async throws {
    try await withRot13 { server in
      let other = try await server.connect()
      for count in 0..<100 {
        let peer = try await server.connect()
        try await onThread {
          try peer.send(String(repeating: "yvar\n", count: count * 10))
          if count % 2 == 1 { _ = try peer.receive(atMost: 7 * count) }
          try peer.reset()
        }
        #expect(try await other.ask("fgvyy urer") == "still here")
      }
      other.close()
    }
  }
}
