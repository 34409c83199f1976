import Framing
import Peers
import TestHarness
import Testing

@testable import AsyncSockets

@Suite("Pieces of a stream", .serialized, .timeLimit(.minutes(4)))
struct PiecesTests {
  @Test("an exact read waits for its last byte and takes not one more", arguments: Medium.allCases)
  func exactly(_ medium: Medium) async throws {
    try await withFeed(medium) { feed in
      async let first = feed.connection.read(exactly: 5)
      try await untilReading(feed.connection)
      try await feed.drip(bytes("hell"))
      try await untilReading(feed.connection)
      try feed.arrive("o, world")
      #expect(try await first == bytes("hello"))
      #expect(try await feed.connection.read(exactly: 7) == bytes(", world"))
      try feed.end()
      #expect(try await feed.connection.read(exactly: 1) == nil)
      #expect(try await feed.connection.read(exactly: 1) == nil)
    }
  }

  @Test("an exact read of no bytes is there at once, also at the end", arguments: Medium.allCases)
  func exactlyNone(_ medium: Medium) async throws {
    try await withFeed(medium) { feed in
      #expect(try await feed.connection.read(exactly: 0) == [])
      try feed.arrive("x")
      #expect(try await feed.connection.read(exactly: 0) == [])
      #expect(try await feed.connection.read(exactly: 1) == bytes("x"))
      try feed.end()
      #expect(try await feed.connection.read() == nil)
      #expect(try await feed.connection.read(exactly: 0) == [])
    }
  }

  @Test(
    "an exact read that the stream ends short of is truncated, and its bytes stay (P25)",
    arguments: Medium.allCases)
  func truncated(_ medium: Medium) async throws {
    try await withFeed(medium) { feed in
      try feed.arrive("abcdef")
      try feed.end()
      #expect(try await feed.connection.read(exactly: 2) == bytes("ab"))
      for _ in 0..<2 {
        let error = await failure { try await feed.connection.read(exactly: 5) }
        #expect(error as? FramingError == .truncated(held: 4, offset: 2))
      }
      #expect(await failure { try await feed.connection.read(UInt64.self) } is FramingError)
      #expect(try await feed.connection.read() == bytes("cdef"))
      #expect(try await feed.connection.read() == nil)
    }
  }

  @Test("an exact read of more than any memory holds costs what comes", arguments: Medium.allCases)
  func hugeCount(_ medium: Medium) async throws {
    try await withFeed(medium) { feed in
      try feed.arrive("little")
      try feed.end()
      let error = await failure { try await feed.connection.read(exactly: .max) }
      #expect(error as? FramingError == .truncated(held: 6, offset: 0))
      #expect(feed.connection.core.reading.contents.buffer.count == 6)
    }
  }

  @Test("a read up to a delimiter takes the delimiter, and does not return it", arguments: Medium.allCases)
  func until(_ medium: Medium) async throws {
    try await withFeed(medium) { feed in
      try feed.arrive("one\r\n\r\ntwo")
      #expect(try await feed.connection.read(until: bytes("\r\n")) == bytes("one"))
      #expect(try await feed.connection.read(until: bytes("\r\n")) == [])
      async let second = feed.connection.read(until: bytes("aab"))
      try await untilReading(feed.connection)
      try await feed.drip(bytes(" aaaa"))
      try feed.arrive("brest\0")
      #expect(try await second == bytes("two aa"))
      #expect(try await feed.connection.read(until: [0]) == bytes("rest"))
      try feed.end()
      #expect(try await feed.connection.read(until: [0]) == nil)
    }
  }

  @Test("a read up to a delimiter fails at the first byte beyond its limit", arguments: Medium.allCases)
  func untilLimit(_ medium: Medium) async throws {
    try await withFeed(medium) { feed in
      try feed.arrive("12345;")
      #expect(try await feed.connection.read(until: bytes(";"), atMost: 5) == bytes("12345"))
      async let tooLong = failure { try await feed.connection.read(until: bytes(";"), atMost: 5) }
      try await untilReading(feed.connection)
      try await feed.drip(bytes("12345"))
      try await untilReading(feed.connection)
      try feed.arrive("6")
      #expect(await tooLong as? FramingError == .tooLong(limit: 5, seen: 6, offset: 6))
      #expect(await failure { try await feed.connection.read(until: bytes(";"), atMost: 5) } is FramingError)
      try feed.arrive("78;")
      #expect(try await feed.connection.read(until: bytes(";"), atMost: 8) == bytes("12345678"))
    }
  }

  @Test(
    "a read up to a delimiter that never comes is truncated, and its bytes stay", arguments: Medium.allCases)
  func untilTruncated(_ medium: Medium) async throws {
    try await withFeed(medium) { feed in
      try feed.arrive("no end")
      try feed.end()
      let error = await failure { try await feed.connection.read(until: bytes(";")) }
      #expect(error as? FramingError == .truncated(held: 6, offset: 0))
      #expect(try await feed.connection.read(exactly: 6) == bytes("no end"))
    }
  }

  @Test("integers of each width come in either order", arguments: Medium.allCases)
  func integers(_ medium: Medium) async throws {
    try await withFeed(medium) { feed in
      let connection = feed.connection
      try feed.arrive([0x01, 0x02, 0x01, 0x02, 0xFF, 0xFF, 0xFF, 0xFE, 0xFE, 0xFF, 0xFF, 0xFF, 0x80])
      #expect(try await connection.read(UInt16.self) == 0x0102)
      #expect(try await connection.read(UInt16.self, .little) == 0x0201)
      #expect(try await connection.read(Int32.self) == -2)
      #expect(try await connection.read(Int32.self, .little) == -2)
      #expect(try await connection.read(Int8.self) == -128)
      async let wide = connection.read(UInt64.self, .little)
      try await untilReading(connection)
      try await feed.drip([1, 2, 3, 4, 5, 6, 7])
      try feed.arrive([8])
      #expect(try await wide == 0x0807_0605_0403_0201)
      try feed.arrive((1...16).map { UInt8($0) })
      #expect(try await connection.read(UInt128.self) == 0x0102_0304_0506_0708_090A_0B0C_0D0E_0F10)
      try feed.end()
      #expect(try await connection.read(UInt8.self) == nil)
    }
  }

  @Test("what was looked at stays to be read, by whichever read comes next", arguments: Medium.allCases)
  func peek(_ medium: Medium) async throws {
    try await withFeed(medium) { feed in
      async let first = feed.connection.peek(atLeast: 3)
      try await untilReading(feed.connection)
      try await feed.drip(bytes("GE"))
      try await untilReading(feed.connection)
      try feed.arrive("T /\r\nbody")
      let seen = try #require(try await first)
      #expect(seen.count >= 3 && bytes("GET /\r\nbody").starts(with: seen))
      #expect(try await feed.connection.peek(atLeast: 11) == bytes("GET /\r\nbody"))
      #expect(try await feed.connection.read(atMost: 4) == bytes("GET "))
      #expect(try await feed.connection.framed(LineFraming()).next() == "/")
      try feed.end()
      #expect(try await feed.connection.peek(atLeast: 100) == bytes("body"))
      #expect(try await feed.connection.peek() == bytes("body"))
      #expect(try await feed.connection.read(exactly: 4) == bytes("body"))
      #expect(try await feed.connection.peek() == nil)
    }
  }

  @Test("leftover bytes are taken once, and nothing is asked of the kernel", arguments: Medium.allCases)
  func leftovers(_ medium: Medium) async throws {
    try await withFeed(medium) { feed in
      #expect(try feed.connection.takeLeftovers() == [])
      try feed.arrive("line\nrest")
      #expect(try await feed.connection.peek(atLeast: 9)?.count == 9)
      let lines = feed.connection.framed(LineFraming())
      #expect(try await lines.next() == "line")
      try feed.arrive("in the kernel")
      #expect(try feed.connection.takeLeftovers() == bytes("rest"))
      #expect(try feed.connection.takeLeftovers() == [])
      #expect(feed.connection.counters.bytesRead == 9)
      #expect(try await feed.connection.read(exactly: 13) == bytes("in the kernel"))
    }
  }

  @Test("a decoder of the caller's own takes one frame at a time", arguments: Medium.allCases)
  func ownDecoder(_ medium: Medium) async throws {
    try await withFeed(medium) { feed in
      var netstrings = NetstringFraming().makeDecoder()
      var lines = LineFraming().makeDecoder()
      try feed.arrive("3:a\nb,line one\n1:c,line two\nlast")
      #expect(try await feed.connection.read(using: &netstrings) == bytes("a\nb"))
      #expect(try await feed.connection.read(using: &lines) == "line one")
      #expect(try await feed.connection.read(using: &netstrings) == bytes("c"))
      #expect(try await feed.connection.read(using: &lines) == "line two")
      try feed.end()
      #expect(try await feed.connection.read(using: &lines) == "last")
      #expect(try await feed.connection.read(using: &lines) == nil)
    }
  }

  @Test("pieces, chunks and frames of one stream may be mixed", arguments: Medium.allCases)
  func mixed(_ medium: Medium) async throws {
    try await withFeed(medium) { feed in
      let connection = feed.connection
      let lines = connection.framed(LineFraming())
      for _ in 0..<5 {
        try feed.arrive([0, 5] + bytes("helloone\nkey: value\r\n\r\nchunk"))
        let length = try #require(try await connection.read(UInt16.self))
        #expect(try await connection.read(exactly: Int(length)) == bytes("hello"))
        #expect(try await lines.next() == "one")
        #expect(try await connection.read(until: bytes("\r\n\r\n")) == bytes("key: value"))
        #expect(try await connection.receive(exactly: 5) == bytes("chunk"))
      }
    }
  }

  @Test("arguments that cannot work are refused in words, and take nothing", arguments: Medium.allCases)
  func invalid(_ medium: Medium) async throws {
    try await withFeed(medium) { feed in
      let connection = feed.connection
      try feed.arrive("x")
      let wrong: [(String, () async throws -> Void)] = [
        ("0 bytes or more, not -1", { _ = try await connection.read(exactly: -1) }),
        ("not \(Int.min)", { _ = try await connection.read(exactly: .min) }),
        ("a delimiter needs at least 1 byte", { _ = try await connection.read(until: []) }),
        ("at least 1 byte, not 0", { _ = try await connection.read(until: [0], atMost: 0) }),
        ("at least 1 byte, not -5", { _ = try await connection.read(until: [0], atMost: -5) }),
        ("1 to 65536 bytes, not 0", { _ = try await connection.peek(atLeast: 0) }),
        ("1 to 65536 bytes, not 65537", { _ = try await connection.peek(atLeast: 65_537) }),
      ]
      for (text, operation) in wrong {
        let error = await socketError(of: operation)
        #expect(error?.isInvalid == true && error?.description.contains(text) == true, "\(text)")
      }
      #expect(try await connection.read(atMost: .max) == bytes("x"))
    }
  }
}
