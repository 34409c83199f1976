import Framing
import TestHarness
import Testing

@Suite("verifyCodec on every codec of this package (P19, P20, P21, P25)", .thoroughOnly)
struct EveryCodecTests {
  typealias Sample = CodecSample<[UInt8]>

  static let blocks: [[UInt8]] = [[], [0], Array("one".utf8), [0xC0, 0xDB, 0xDC, 2, 3, 0x10]]
  static let five = Array("12345".utf8)

  // MARK: - Blocks

  @Test("blocks of a fixed length")
  func fixed() throws {
    try verifyCodec(
      FixedLengthFraming(3), frames: [[1, 2, 3], [0, 0, 0]], unencodable: [[], [1, 2], [1, 2, 3, 4]],
      streams: [
        .init(
          "onetwoth", frames: ["one", "two"].map { Array($0.utf8) }, fails: .truncated(held: 2, offset: 6))
      ])
  }

  @Test(
    "lengths of every width and order",
    arguments: [
      .uint8, .uint16, .uint24, .uint32, .uint64, .uint16.littleEndian, .uint24.littleEndian,
      .uint64.littleEndian, .uint8.countingItself, .uint32.countingItself.littleEndian,
      .uint16.adjusted(by: -1),
      .uint8.adjusted(by: 3),
    ] as [IntegerField])
  func integers(field: IntegerField) throws {
    let framing = try LengthPrefixFraming(field, maximumLength: 6, maximumEmptyRun: 2)
    let accepted: [UInt8] = try encoding([Self.five + [6]], with: LengthPrefixFraming(field))
    let refused: [UInt8] = try encoding([Self.five + [6, 7]], with: LengthPrefixFraming(field))
    let blocks = field.adjustment > 0 ? [[1, 2, 3], [0, 0, 0, 4]] : Self.blocks
    try verifyCodec(
      framing, frames: blocks, unencodable: [Self.five + [6, 7]],
      streams: [.init(accepted + accepted.dropLast()), .init([UInt8](repeating: 0, count: 17))],
      limit: CodecLimit(6, accepts: accepted, refuses: Array(refused.prefix(field.width))))
  }

  private func encoding<F: Framing>(_ frames: [F.Encoder.Frame], with framing: F) throws -> [UInt8] {
    var encoder = framing.makeEncoder()
    var output: [UInt8] = []
    for frame in frames { try encoder.encode(frame, into: &output) }
    return output
  }

  @Test("lengths of no fixed width")
  func variableLengths() throws {
    try verifyCodec(
      LengthPrefixFraming(.varint, maximumLength: 300),
      frames: Self.blocks + [[UInt8](repeating: 7, count: 300)],
      unencodable: [[UInt8](repeating: 7, count: 301)],
      streams: [
        [0x81, 0x00, 0x2A], .init([UInt8](repeating: 0x80, count: 12)),
        .init(
          [UInt8](repeating: 0xFF, count: 9) + [2],
          fails: .malformed("a varint has more than 64 bits", offset: 0)),
      ],
      limit: CodecLimit(
        300, accepts: [0xAC, 0x02] + [UInt8](repeating: 1, count: 300), refuses: [0xAD, 0x02]))
    try verifyCodec(
      LengthPrefixFraming(.decimal, maximumLength: 5), frames: [[], [0], Self.five],
      streams: ["3\0abc12x", "003\0abc", .init(String(repeating: "9", count: 22)), "\0", "1\0a1"],
      limit: CodecLimit(5, accepts: "5\u{0}12345", refuses: "6\0"))
    try verifyCodec(
      LengthPrefixFraming(DecimalPrefix(terminator: UInt8(ascii: "\n"))), frames: Self.blocks,
      streams: ["2\nab3\nab"])
    try verifyCodec(
      NetstringFraming(maximumLength: 5), frames: [[], [0], Self.five], unencodable: [Self.five + [6]],
      streams: [
        "3:abc,0:,2:ab;", "03:abc,", "a", "5:12345,1:a,,", "4:abc",
      ],
      limit: CodecLimit(5, accepts: "5:12345,", refuses: "6:"))
  }

  @Test("a header with a length inside, and records of a type, a length and a value")
  func headers() throws {
    try verifyCodec(
      HeaderFraming(length: 4, field: .uint16, at: 1, maximumLength: 9),
      frames: [[7, 0, 0, 8], [7, 0, 5, 8, 1, 2, 3, 4, 5]],
      unencodable: [[7, 0, 0], [7, 0, 6, 8, 1, 2, 3, 4, 5, 6]], streams: [[7, 0, 2, 8, 1]],
      limit: CodecLimit(9, accepts: [7, 0, 5, 8, 1, 2, 3, 4, 5], refuses: [7, 0, 6, 8]))
    try verifyCodec(
      HeaderFraming(length: 3, field: .uint8.adjusted(by: -3), at: 2), frames: [[1, 2, 3], [1, 2, 4, 9]],
      streams: [[1, 2, 2], [1, 2]])
    try verifyCodec(
      TLVFraming(type: .uint8, length: .uint16, maximumLength: 5),
      frames: [.init(type: 1), .init(type: 255, value: Self.five)],
      unencodable: [.init(type: 256), .init(type: 1, value: Self.five + [6])], streams: [[1, 0, 2, 9]],
      limit: CodecLimit(5, accepts: [1, 0, 5] + Self.five, refuses: [1, 0, 6]))
    try verifyCodec(
      TLVFraming(type: .uint24.littleEndian, length: .uint8.adjusted(by: -4)),
      frames: [.init(type: 70_000), .init(type: 2, value: [3])], streams: [[1, 0, 0, 3]])
  }

  // MARK: - Escapes

  static let slip: [Sample] = [
    [0xC0, 0xC0, 1, 0xC0, 0xC0, 2], [0xDB, 1, 0xC0, 0xDB, 0xDC, 0xDB, 0xDD, 0xC0, 1, 0xDB],
    [1, 2, 3, 4, 5, 6, 7, 0xDB, 0xDC, 8, 0xC0, 9, 0xC0], [1, 0xDB, 0xDB, 0xDB, 0xDC, 0xC0, 0xDB, 0xC0],
    .init([UInt8](repeating: 0xDB, count: 20)),
  ]
  static let cobs: [Sample] = [
    [2, 1, 0, 1, 0, 3, 1, 0, 4, 1, 1, 1, 0], [8, 1, 2, 3, 4, 5, 6, 7, 0, 2, 1, 0], [0, 0, 2, 9, 0, 9],
  ]
  static let stxETX: [Sample] = [
    [2, 1, 3, 2, 2, 1, 3, 2, 0x10, 3, 3], [9, 2, 3, 2, 0x10, 0x10, 3, 2, 1], [2, 4, 5, 6, 7, 8, 9, 3, 2, 3],
  ]
  static let masked: [Sample] = [[0x7E, 0x7D, 0x5E, 0x7F, 0x7E, 0x7D, 0x7F, 0x7E, 1, 0x7F]]

  @Test("escapes, as errors and skipped", arguments: [BadFrames.fail, .skip])
  func escapes(badFrames: BadFrames) throws {
    let frames = Self.blocks.filter { !$0.isEmpty }
    let fails = badFrames == .fail
    let long = Self.five + [6, 7]
    try verifyCodec(
      SLIPFraming(maximumLength: 6, badFrames: badFrames), frames: frames, unencodable: [[], long],
      streams: Self.slip,
      limit: fails ? CodecLimit(6, accepts: Self.five + [6, 0xC0], refuses: Self.five + [6, 7]) : nil)
    try verifyCodec(
      COBSFraming(maximumLength: 6, badFrames: badFrames), frames: Self.blocks, unencodable: [long],
      streams: Self.cobs,
      limit: fails
        ? CodecLimit(6, accepts: [7] + Self.five + [6, 0], refuses: [8] + Self.five + [6, 7]) : nil)
    try verifyCodec(
      STXETXFraming(maximumLength: 6, badFrames: badFrames), frames: Self.blocks, unencodable: [long],
      streams: Self.stxETX,
      limit: fails
        ? CodecLimit(6, accepts: [2] + Self.five + [6, 3], refuses: [2] + Self.five + [6, 7]) : nil)
    try verifyCodec(
      STXETXFraming(start: 0x7E, end: 0x7F, escape: 0x7D, mask: 0x20, maximumLength: 6, badFrames: badFrames),
      frames: Self.blocks, streams: Self.masked)
  }

  @Test("a packet of more than one COBS block")
  func longCOBS() throws {
    for count in [253, 254, 255, 508] {
      try verifyCodec(
        COBSFraming(), frames: [[UInt8](repeating: 1, count: count), []],
        checks: [.roundTrip, .twoReads, .limit])
    }
  }

  @Test("checksums, as errors and skipped", arguments: [BadFrames.fail, .skip])
  func checksums(badFrames: BadFrames) throws {
    let streams: [Sample] = [[1, 9, 0], [2, 9, 9, 2, 9, 8], [0], [3, 1, 2]]
    for checksum in [Checksum.xor8, .crc32.bigEndian] {
      try verifyCodec(
        LengthPrefixFraming(.uint8).checksummed(checksum, badFrames: badFrames), frames: Self.blocks,
        streams: streams)
    }
    try verifyCodec(
      SLIPFraming(maximumLength: 6, badFrames: badFrames).checksummed(.sum8, badFrames: badFrames),
      frames: [[], [0xC0, 0xDB]], streams: Self.slip)
  }

  // MARK: - Lines beside the usual ones

  static let terminators: [LineTerminator] = [
    .newline, .anyNewline, .autodetect, "aab", .oneOf("a", "ab", "b\n"), .run(of: "\r\n", atLeast: 2),
    .run(of: "a"),
  ]
  static let lines: [Sample] = [
    "one\r\n\r\nab\n\rtoo long\r\nb\ntoo long\r", "aab\r\raaabxab\n\n\nx\n\r\naaa",
  ]

  @Test("lines with terminators beside the usual ones", arguments: terminators.suffix(3))
  func lines(terminator: LineTerminator) throws {
    try verifyCodec(LineFraming(terminator, maximumLength: 8).bytes, streams: Self.lines)
    try verifyCodec(LineFraming(terminator, maximumLength: 8).bytes.keepingTerminator, streams: Self.lines)
  }

  @Test("lines of which bad ones are skipped", arguments: terminators)
  func skippedLines(terminator: LineTerminator) throws {
    let framing = try LineFraming(terminator, maximumLength: 3, badFrames: .skip)
    try verifyCodec(framing, streams: Self.lines.map { .init($0.bytes + [0xFF, 10]) })
    try verifyCodec(framing.bytes.keepingTerminator, streams: Self.lines)
  }

  // MARK: - Combinators

  @Test("frames made into others, left out, taken apart and gathered")
  func combinators() throws {
    let lines: [CodecSample<String>] = ["one\n#no\ntwo\n\n#un", "#\n#\n", "a\nb"]
    try verifyCodec(LineFraming().map { $0.uppercased() }, streams: lines)
    try verifyCodec(LineFraming().filter { !$0.hasPrefix("#") }, frames: ["one", ""], streams: lines)
    try verifyCodec(
      LineFraming().compactMap { Int($0) },
      streams: [.init("1\nx\n22\nx", frames: [1, 22]), "x", "3"])
    try verifyCodec(
      LineFraming().flatMap { Array($0.utf8) }, streams: [.init("ab\n\nc", frames: [97, 98, 99]), "\n"])
    for size in [1, 2, 3] {
      try verifyCodec(
        LineFraming().chunked(size), streams: ["one\ntwo\nthree\nfour\nfi", "\n\n\n\n", ""])
      try verifyCodec(
        LengthPrefixFraming(.uint8).chunked(size), streams: [[1, 7, 0, 2, 8, 9, 0], [1, 7, 1]])
      try verifyCodec(
        LineFraming().filter { $0 != "" }.chunked(size).map(\.count), streams: ["a\n\nb\n\nc\n\n", "\n\n"])
    }
    struct Odd: Error {}
    try verifyCodec(
      LengthPrefixFraming(.uint8).map({ if $0.count == 1 { throw Odd() } else { $0.count } }),
      streams: [.init([0, 2, 1, 1, 1, 1], frames: [0, 2], fails: .malformed("Odd()", offset: 4))])
  }

  @Test("codecs in the frames of others, whose bytes are the decoder's own")
  func stacks() throws {
    try verifyCodec(
      LengthPrefixFraming(.uint8).then(LineFraming()), frames: ["one", ""],
      streams: [.init("\u{2}on\u{0}\u{4}e\ntw\u{1}o", frames: ["one", "two"]), "\u{2}a"], checks: .stacked)
    try verifyCodec(
      LengthPrefixFraming(.uint8).then(LineFraming().filter { $0 != "x" }),
      streams: ["\u{3}a\nx\u{1}\n\u{1}x"],
      checks: .stacked)
    try verifyCodec(
      COBSFraming().then(NetstringFraming()), frames: Self.blocks, streams: [[4, 0x33, 0x3A, 0x61, 0]],
      checks: .stacked)
    try verifyCodec(
      LengthPrefixFraming(.uint8).then(NetstringFraming()), streams: [[1, 0x31]], checks: .stacked)
  }

  @Test("messages, one in each frame")
  func messages() throws {
    struct Numbers: MessageCoder {
      func decode(_ bytes: [UInt8]) throws -> Int {
        struct NotANumber: Error {}
        guard let number = Int(String(decoding: bytes, as: UTF8.self)) else { throw NotANumber() }
        return number
      }
      func encode(_ number: Int) throws -> [UInt8] { Array("\(number)".utf8) }
    }
    try verifyCodec(
      LineFraming().bytes.messages(Numbers()), frames: [1, -20, 300],
      streams: [.init("1\nx\n", frames: [1], fails: .malformed("NotANumber()", offset: 2))])
    try verifyCodec(LengthPrefixFraming(.uint16).messages(Numbers()), frames: [1, -20, 300])
  }
}
