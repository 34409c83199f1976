import Framing
import TestHarness
import Testing

@Suite("verifyCodec on the codecs of this package (P19–P25)")
struct VerifyCodecTests {
  struct Mode: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var terminator: LineTerminator
    var end: String

    static let all = [
      Mode(testDescription: "newline", terminator: .newline, end: "\n"),
      Mode(testDescription: "newline, CRLF", terminator: .newline, end: "\r\n"),
      Mode(testDescription: "any newline, CR", terminator: .anyNewline, end: "\r"),
      Mode(testDescription: "any newline, CRLF", terminator: .anyNewline, end: "\r\n"),
      Mode(testDescription: "autodetect, LF", terminator: .autodetect, end: "\n"),
      Mode(testDescription: "autodetect, LFCR", terminator: .autodetect, end: "\n\r"),
      Mode(testDescription: "CRLF", terminator: "\r\n", end: "\r\n"),
      Mode(testDescription: "a literal that repeats itself", terminator: "aab", end: "aab"),
    ]

    /// All that ends lines in some mode or other, in many orders.
    var mixed: String { "one\(end)\(end)two\r\rthree\n\r\r\naaab\naab\r\n\(end)rest\r" }
  }

  @Test("lines of text", arguments: Mode.all)
  func lines(mode: Mode) throws {
    for unfinished in [LineFraming.UnfinishedLastLine.deliver, .fail] {
      try verifyCodec(
        LineFraming(mode.terminator, maximumLength: 16, unfinishedLastLine: unfinished),
        frames: ["one", "", "zwölf"],
        streams: [
          .init(mode.mixed),
          .init("one\(mode.end)two\(mode.end)", frames: ["one", "two"]),
          .init(
            Array("é\(mode.end)x".utf8) + [0xC3] + Array(mode.end.utf8),
            fails: .invalidUTF8(offset: UInt64(3 + mode.end.utf8.count))),
        ],
        limit: limit(mode))
    }
  }

  @Test("lines of bytes, and with their terminators", arguments: Mode.all)
  func bytes(mode: Mode) throws {
    let framing = try LineFraming(mode.terminator, maximumLength: 16).bytes
    try verifyCodec(
      framing, frames: [[], [0xFF], Array("one".utf8)], streams: [.init(mode.mixed)], limit: limit(mode))
    // Frames that bring their terminators; no line after the last one, so that it may lack its own.
    try verifyCodec(
      framing.keepingTerminator, frames: ["one\(mode.end)", mode.end, "two"].map { Array($0.utf8) },
      streams: [.init(mode.mixed)], limit: limit(mode))
  }

  private func limit(_ mode: Mode) -> CodecLimit {
    let most = String(repeating: "x", count: 16)
    return CodecLimit(16, accepts: most + mode.end, refuses: most + "x")
  }

  @Test("raw bytes, whose frames depend on the reads: put together, they are the stream")
  func raw() throws {
    try verifyCodec(
      RawFraming(), frames: [[1, 2, 3], [0], [10, 13]], streams: [.init([1, 2], frames: [[1], [2]])],
      joining: { [Array($0.joined())] })
    let failure = try #require(throws: CodecFailure.self) {
      try verifyCodec(RawFraming(), streams: [[1, 2, 3]])
    }
    #expect(failure.check == .twoReads)
  }

  @Test("different codecs in and out: what comes in is verified")
  func duplex() throws {
    try verifyCodec(
      try LineFraming(maximumLength: 8).sending(RawFraming()),
      streams: [.init("one\ntwo", frames: ["one", "two"])],
      limit: CodecLimit(8, accepts: "12345678\n", refuses: "123456789"))
    try verifyCodec(LineFraming().sending(LineFraming.anyNewline), frames: ["one", "", "two"])
  }
}
