import Framing
import Testing

@Suite("Lengths before frames")
struct LengthPrefixTests {
  private static let abc = Array("abc".utf8)

  @Test("an integer may have any width, either byte order, and count its own bytes")
  func wireFormat() throws {
    let cases: [(IntegerField, [UInt8])] = [
      (.uint8, [3]), (.uint16, [0, 3]), (.uint24, [0, 0, 3]), (.uint32, [0, 0, 0, 3]),
      (.uint64, [0, 0, 0, 0, 0, 0, 0, 3]), (.uint16.littleEndian, [3, 0]), (.uint24.littleEndian, [3, 0, 0]),
      (.uint32.littleEndian, [3, 0, 0, 0]), (.uint64.littleEndian, [3, 0, 0, 0, 0, 0, 0, 0]),
      (.uint8.countingItself, [4]), (.uint32.countingItself, [0, 0, 0, 7]),
      (.uint16.adjusted(by: -1), [0, 4]), (.uint16.adjusted(by: 2), [0, 1]),
    ]
    for (field, prefix) in cases {
      let framing = LengthPrefixFraming(field)
      #expect(try encoded(framing, [Self.abc]) == prefix + Self.abc)
      #expect(decodeEveryWay(framing, [prefix + Self.abc]) == Outcome([Self.abc]))
    }
    let long = [UInt8](repeating: 7, count: 0x1234)
    #expect(try encoded(LengthPrefixFraming(.uint24), [long]).prefix(3) == [0, 0x12, 0x34])
    #expect(
      Outcome(of: LengthPrefixFraming(.uint16), reads: [[0x12, 0x34] + long], ended: true)
        == Outcome([long]))
  }

  @Test("a varint takes seven bits a byte, and may be longer than it must")
  func varint() throws {
    let framing = LengthPrefixFraming(.varint)
    let long = [UInt8](repeating: 7, count: 300)
    #expect(try encoded(framing, [Self.abc]) == [3] + Self.abc)
    #expect(try encoded(framing, [long]) == [0xAC, 0x02] + long)
    #expect(decodeEveryWay(framing, [[0x83, 0x80, 0x00] + Self.abc]) == Outcome([Self.abc]))
    let tenBytes = [UInt8](repeating: 0x80, count: 9)
    #expect(decodeEveryWay(framing, [tenBytes + [0]]) == Outcome([[]]))
    #expect(
      decodeEveryWay(framing, [tenBytes + [1]]).error == .tooLong(limit: 1_048_576, seen: .max, offset: 0))
    #expect(
      decodeEveryWay(framing, [tenBytes + [2]]).error
        == .malformed("a varint has more than 64 bits", offset: 0))
    #expect(decodeEveryWay(framing, [[0x80, 0x80]], ended: true).error == .truncated(held: 2, offset: 0))
  }

  @Test("a length above the limit is refused as soon as it is there, and nothing is reserved for it (P22)")
  func lengthBombs() throws {
    for field in [IntegerField.uint32, .uint64, .uint64.littleEndian, .uint64.adjusted(by: 9)] {
      let framing = try LengthPrefixFraming(field, maximumLength: 1_000)
      var feed = Feed(framing)
      #expect(feed.read([UInt8](repeating: 0xFF, count: field.width)) == [])
      let seen = field.width == 4 ? 0xFFFF_FFFF : Int.max
      #expect(feed.error == .tooLong(limit: 1_000, seen: seen, offset: 0))
    }
    let framing = try LengthPrefixFraming(.uint16, maximumLength: 1_000)
    #expect(
      decodeEveryWay(framing, [[0x03, 0xE9]])
        == Outcome([], pending: "\u{3}", error: .tooLong(limit: 1_000, seen: 1_001, offset: 0)).with([
          3, 0xE9,
        ]))
    #expect(decodeEveryWay(framing, [[0x03, 0xE8]]).error == nil)
    #expect(
      Outcome(of: framing, reads: [[0x03, 0xE8] + [UInt8](repeating: 1, count: 1_000)], ended: true).error
        == nil)
  }

  @Test("a length that is less than what it counts besides the content is malformed")
  func negativeLength() {
    #expect(
      decodeEveryWay(LengthPrefixFraming(.uint32.countingItself), [[0, 0, 0, 4], [0, 0, 0, 3]])
        == Outcome(
          [[]],
          error: .malformed(
            "a length of 3 is less than the 4 bytes that it counts besides the content", offset: 4)
        ).with([0, 0, 0, 3]))
    #expect(
      decodeEveryWay(LengthPrefixFraming(.uint8.adjusted(by: .min)), [[255]]).error?.description
        .contains("less than") == true)
  }

  @Test("a frame that the prefix or the limit has no room for is not sent")
  func tooLongToSend() throws {
    let long = [UInt8](repeating: 0, count: 256)
    #expect(
      failure { _ = try encoded(LengthPrefixFraming(.uint8), [long]) }
        == .unencodable("a content of 256 bytes can't be expressed by a length of 8 bits"))
    #expect(try encoded(LengthPrefixFraming(.uint8), [long.dropLast()]).count == 256)
    #expect(
      failure { _ = try encoded(LengthPrefixFraming(.uint8.countingItself), [long.dropLast()]) } != nil)
    #expect(failure { _ = try encoded(LengthPrefixFraming(.uint8.adjusted(by: 1)), [[]]) } != nil)
    #expect(failure { _ = try encoded(LengthPrefixFraming(.uint8.adjusted(by: .min)), [[]]) } != nil)
    #expect(
      failure { _ = try encoded(LengthPrefixFraming(.uint8, maximumLength: 2), [Self.abc]) }
        == .unencodable("it has 3 bytes, the limit is 2"))
  }

  @Test("a run of empty frames ends, unless a frame comes between (P24)")
  func emptyRun() throws {
    let framing = try LengthPrefixFraming(.uint8, maximumEmptyRun: 2)
    #expect(decodeEveryWay(framing, [[0, 0, 1, 7, 0, 0]]) == Outcome([[], [], [7], [], []]))
    #expect(
      decodeEveryWay(framing, [[0, 0, 0]])
        == Outcome([[], []], error: .malformed("more than 2 empty frames in a row", offset: 2)).with([0]))
    #expect(
      Outcome(of: LengthPrefixFraming(.uint8), reads: [[UInt8](repeating: 0, count: 2_000)], ended: false)
        .frames.count == 1_000)
    let netstrings = Array(String(repeating: "0:,", count: 1_001).utf8)
    #expect(Outcome(of: NetstringFraming(), reads: [netstrings], ended: false).frames.count == 1_000)
    #expect(failure { _ = try LengthPrefixFraming(.uint8, maximumEmptyRun: -1) } != nil)
  }

  @Test("a netstring is exactly a length, a colon, the bytes and a comma")
  func netstring() throws {
    let framing = NetstringFraming()
    #expect(try encode(framing, Array("hello world!".utf8), []) == "12:hello world!,0:,")
    #expect(decodeEveryWay(framing, "12:hello world!,0:,") == Outcome(text: ["hello world!", ""]))
    let wrong: [(String, String, UInt64)] = [
      ("1:a,2:abc,", "a netstring ends in a byte of value 99, not in a comma", 8),
      ("03:abc,", "the length of a netstring begins with 0", 0),
      ("0x:", "the length of a netstring begins with 0", 0),
      (":,", "a decimal length has a byte of value 58 in it", 0),
      ("-1:a,", "a decimal length has a byte of value 45 in it", 0),
    ]
    for (stream, problem, offset) in wrong {
      #expect(decodeEveryWay(framing, stream).error == .malformed(problem, offset: offset))
    }
    #expect(
      decodeEveryWay(try NetstringFraming(maximumLength: 3), "3:abc,4:").error
        == .tooLong(limit: 3, seen: 4, offset: 6))
    #expect(failure { _ = try encoded(NetstringFraming(maximumLength: 2), [Self.abc]) } != nil)
  }

  @Test("a length may stand anywhere in a header, which belongs to the message")
  func header() throws {
    let framing = try HeaderFraming(length: 4, field: .uint16, at: 1)
    let message: [UInt8] = [9, 0, 3, 8] + Self.abc
    #expect(decodeEveryWay(framing, [message, message]) == Outcome([message, message]))
    #expect(try encoded(framing, [[9, 0xEE, 0xEE, 8] + Self.abc]) == message)
    try checkBlocks(framing, [message, [1, 0, 0, 2], message])
    let whole = try HeaderFraming(length: 4, field: .uint16.littleEndian.adjusted(by: -4), at: 2)
    try checkBlocks(whole, [[9, 9, 7, 0] + Self.abc, [1, 1, 4, 0]])
    #expect(
      decodeEveryWay(whole, [[0, 0, 3, 0]]).error?.description.contains("malformed at offset 2") == true)
    #expect(failure { _ = try encoded(framing, [[1, 2, 3]]) } != nil)
    let limited = try HeaderFraming(length: 4, field: .uint16, at: 0, maximumLength: 6)
    #expect(decodeEveryWay(limited, [[0, 2, 0, 0]]).error == nil)
    #expect(decodeEveryWay(limited, [[0, 3, 0, 0]]).error == .tooLong(limit: 6, seen: 7, offset: 0))
    let wide = try HeaderFraming(length: 8, field: .uint64, at: 0)
    #expect(
      decodeEveryWay(wide, [[UInt8](repeating: 0xFF, count: 8)]).error
        == .tooLong(limit: 1_048_576, seen: .max, offset: 0))
  }

  @Test("a field outside its header, or a header above the limit, is refused")
  func badHeader() {
    for (length, offset, maximum) in [
      (4, 3, 100), (4, -1, 100), (1, 0, 100), (4, 0, 3), (0, 0, 0), (.min, 0, 9),
    ] {
      #expect(
        failure { _ = try HeaderFraming(length: length, field: .uint16, at: offset, maximumLength: maximum) }
          != nil)
    }
  }

  @Test("a record is a type, a length and a value")
  func tlv() throws {
    let framing = try TLVFraming(type: .uint8, length: .uint16, maximumLength: 10)
    let record = TLVFraming.Record(type: 5, value: Self.abc)
    #expect(try encoded(framing, [record]) == [5, 0, 3] + Self.abc)
    #expect(
      decodeEveryWay(framing, [[5, 0, 3] + Self.abc + [6, 0, 0]]) == Outcome([record, .init(type: 6)]))
    #expect(decodeEveryWay(framing, [[5, 0, 11]]).error == .tooLong(limit: 10, seen: 11, offset: 0))
    #expect(
      failure { _ = try encoded(framing, [.init(type: 256)]) }
        == .unencodable("type 256 doesn't fit in 8 bits"))
    #expect(
      failure { _ = try encoded(framing, [.init(type: 1, value: .init(repeating: 0, count: 11))]) } != nil)
    let whole = TLVFraming(type: .uint16, length: .uint16.adjusted(by: -4))
    #expect(try encoded(whole, [record]) == [0, 5, 0, 7] + Self.abc)
    try checkBlocks(whole, [record, .init(type: 1), record])
    #expect(failure { _ = try TLVFraming(type: .uint8, length: .uint8, maximumLength: 0) } != nil)
  }

  @Test("a decimal length may end in any byte but a digit")
  func decimalTerminator() throws {
    let framing = LengthPrefixFraming(try DecimalPrefix(terminator: UInt8(ascii: " ")))
    #expect(try encode(framing, Self.abc) == "3 abc")  // as in octet counting, RFC 6587
    #expect(decodeEveryWay(framing, "3 abc1 x") == Outcome(text: ["abc", "x"]))
    #expect(failure { _ = try DecimalPrefix(terminator: UInt8(ascii: "7")) } != nil)
  }

  @Test("every codec has a shorthand where a framing is asked for")
  func shorthands() throws {
    func name<F: Framing>(_ framing: F) -> String { "\(F.self)" }
    #expect(name(.lines) == "LineFraming")
    #expect(name(.lineBytes) == "LineBytesFraming")
    #expect(try name(.delimited(by: [0])) == "LineBytesFraming")
    #expect(name(.raw) == "RawFraming")
    #expect(try name(.fixedLength(4)) == "FixedLengthFraming")
    #expect(name(.lengthPrefixed(.uint16)) == "LengthPrefixFraming<IntegerField>")
    #expect(try name(.lengthPrefixed(.varint, maximumLength: 10)) == "LengthPrefixFraming<VarintPrefix>")
    #expect(name(.lengthPrefixed(.uint16.littleEndian)) == "LengthPrefixFraming<IntegerField>")
    #expect(name(.lengthPrefixed(.decimal)) == "LengthPrefixFraming<DecimalPrefix>")
    #expect(name(.netstring) == "NetstringFraming")
    #expect(name(.tlv(type: .uint8, length: .uint16)) == "TLVFraming")
    #expect(name(.slip) == "SLIPFraming")
    #expect(name(.cobs) == "COBSFraming")
    #expect(name(.stxETX) == "STXETXFraming")
    #expect(name(.slip.checksummed(.crc16X25)) == "ChecksumFraming<SLIPFraming>")
  }
}
