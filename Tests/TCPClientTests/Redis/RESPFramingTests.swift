import Framing
import TCPClient
import TestHarness
import Testing

@testable import redis

@Suite("RESP, the codec of the example redis") struct RESPFramingTests {
  private func decode(_ text: String) throws -> [RESP] {
    var buffer = ReceiveBuffer(Array(text.utf8))
    var decoder = RESPFraming().makeDecoder()
    var values: [RESP] = []
    while let value = try decoder.decode(&buffer) { values.append(value) }
    return values
  }

  @Test("each kind of value, and arrays in arrays")
  func values() throws {
    let text =
      "+OK\r\n-ERR no\r\n:-7\r\n$-1\r\n$0\r\n\r\n$4\r\n\r\n\r\n\r\n*-1\r\n*0\r\n*2\r\n*1\r\n:1\r\n$1\r\nx\r\n"
    #expect(
      try decode(text) == [
        .text("OK"), .error("ERR no"), .integer(-7), .bulk(nil), .bulk([]), .bulk(Array("\r\n\r\n".utf8)),
        .array(nil), .array([]), .array([.array([.integer(1)]), .bulk(Array("x".utf8))]),
      ])
  }

  @Test(
    "what is no RESP is an error with its place",
    arguments: [
      ("PONG\r\n", 0), ("+OK\r\n\r\n", 5), (":seven\r\n", 0), ("$-2\r\n", 0), ("*-2\r\n", 0),
      ("$1\r\nxyz", 0),
      ("+a\rb\r\n", 0), ("*2\r\n:1\r\n?\r\n", 8), ("$99999999999999999999\r\n", 0), ("$9999999\r\n", 0),
      ("$000000000000000000005\r\n", 0), (":+00000000000000000001\r\n", 0),
    ] as [(String, UInt64)])
  func malformed(text: String, place: UInt64) {
    let error = #expect(throws: FramingError.self) { try decode(text) }
    guard case .malformed(_, place) = error else {
      Issue.record("\(error.map(\.description) ?? "")")
      return
    }
  }

  @Test("arrays go 32 deep and no deeper, and what they announce takes no memory")
  func depth() throws {
    #expect(try decode(String(repeating: "*1\r\n", count: 32) + ":1\r\n").count == 1)
    #expect(throws: FramingError.self) { try decode(String(repeating: "*1\r\n", count: 33)) }
    #expect(try decode("*9223372036854775807\r\n:1\r\n").isEmpty)
  }

  @Test("a command without a word, which Redis would not answer, is refused")
  func emptyCommand() throws {
    let encoder = RESPFraming().makeEncoder()
    var bytes: [UInt8] = []
    try encoder.encode(["PING"], into: &bytes)
    #expect(bytes == Array("*1\r\n$4\r\nPING\r\n".utf8))
    #expect(throws: FramingError.unencodable("a command needs at least 1 word")) {
      try encoder.encode([], into: &bytes)
    }
  }

  @Test("the proof of all codecs")
  func verified() throws {
    try verifyCodec(
      RESPFraming(),
      streams: [
        CodecSample(
          "+OK\r\n$5\r\nhello\r\n*2\r\n$1\r\na\r\n*1\r\n-no\r\n",
          frames: [
            .text("OK"), .bulk(Array("hello".utf8)),
            .array([.bulk(Array("a".utf8)), .array([.error("no")])]),
          ]),
        "*3\r\n$3\r\n\r\n\r\r\n$-1\r\n:12345\r\n+\r\n$2\r\nx", "*2\r\n:1\r\n:x\r\n", "$3\r\nabcd\r\n",
      ])
  }
}
