import Framing
import Testing

@Suite("Blocks, as the predecessors' tests and their bug reports have them")
struct BlockScenarioTests {
  @Test("scenario B1: blocks of fixed size follow each other without anything between")
  func fixedSize() throws {
    let framing = try FixedLengthFraming(4)
    #expect(decodeEveryWay(framing, "12345678") == Outcome(text: ["1234", "5678"]))
    #expect(decodeEveryWay(framing, "123456") == Outcome(text: ["1234"], pending: "56"))
    #expect(try encode(framing, Array("1234".utf8), Array("5678".utf8)) == "12345678")
  }

  @Test("scenario B3: a decimal length and NUL come before each block")
  func decimal() throws {
    let framing = LengthPrefixFraming(.decimal)
    let blocks = ["a", "bc", "def", "ghij"]
    let stream = "1\0a2\0bc3\0def4\0ghij"
    #expect(try encoded(framing, blocks.map { Array($0.utf8) }) == Array(stream.utf8))
    #expect(decodeEveryWay(framing, stream) == Outcome(text: blocks))
  }

  @Test("scenario B4: length and block may be cut anywhere")
  func splitDecimal() {
    var feed = Feed(LengthPrefixFraming(.decimal))
    for read in ["1", "0", "\0", "klmno"] { #expect(feed.read(read) == []) }
    #expect(feed.read("pqrst") == [Array("klmnopqrst".utf8)])
    #expect(
      decodeEveryWay(LengthPrefixFraming(.decimal), "10\0klmnopqrst") == Outcome(text: ["klmnopqrst"]))
  }

  @Test("scenario B6: a prefix of one's own may come one byte at a time")
  func splitBinary() {
    var feed = Feed(LengthPrefixFraming(Ten()))
    for read in [[0], [0], [0], [10], Array("klmno".utf8)] as [[UInt8]] { #expect(feed.read(read) == []) }
    #expect(feed.read("pqrst") == [Array("klmnopqrst".utf8)])
    let stream = [0, 0, 0, 10] + Array("klmnopqrst".utf8)
    #expect(decodeEveryWay(LengthPrefixFraming(.uint32), [stream]) == Outcome(text: ["klmnopqrst"]))
  }

  @Test("scenario B7: a block may be empty, and leading zeros say nothing")
  func emptyAndZeros() {
    #expect(
      decodeEveryWay(LengthPrefixFraming(.decimal), "0\u{0}3\0abc003\0abc")
        == Outcome(text: ["", "abc", "abc"]))
  }

  @Test("scenario B9: a decoder that has refused a block stays failed, and never delivers it")
  func staysFailed() throws {
    let framing = try LengthPrefixFraming(.decimal, maximumLength: 10)
    let stream = "134\0a bunch of data here"
    let expected = FramingError.tooLong(limit: 10, seen: 134, offset: 0)
    #expect(decodeEveryWay(framing, stream) == Outcome([], pending: stream, error: expected))
    var feed = Feed(framing)
    #expect(feed.read("134\0") == [] && feed.error == expected)
    #expect(feed.read(String(repeating: "a", count: 134) + "1\0a") == [] && feed.end() == [])
  }

  @Test("scenario B10: a limit holds for each block, and what can't work is refused")
  func limits() throws {
    let framing = try LengthPrefixFraming(.decimal, maximumLength: 5)
    #expect(
      decodeEveryWay(framing, "5\0abcde6\0abcdef")
        == Outcome(
          text: ["abcde"], pending: "6\0abcdef", error: .tooLong(limit: 5, seen: 6, offset: 7)))
    #expect(
      decodeEveryWay(framing, "1\0a1\0b1\0c1\0d1\0e1\0f") == Outcome(text: ["a", "b", "c", "d", "e", "f"]))
    for length in [0, -1, Int.min] {
      for error in [
        failure { _ = try LengthPrefixFraming(.decimal, maximumLength: length) },
        failure { _ = try NetstringFraming(maximumLength: length) },
        failure { _ = try FixedLengthFraming(length) },
      ] {
        #expect("\(try #require(error))".contains("\(length) bytes"))
        #expect("\(try #require(error))".contains("at least 1"))
      }
    }
  }

  @Test("scenario B12: a length that is none fails at the byte that shows it, and endless digits at the 21st")
  func malformedDecimal() {
    let framing = LengthPrefixFraming(.decimal)
    #expect(
      decodeEveryWay(framing, "12x\0hello")
        == Outcome(
          [], pending: "12x\0hello",
          error: .malformed("a decimal length has a byte of value 120 in it", offset: 2)))
    #expect(
      decodeEveryWay(framing, "\0").error
        == .malformed(
          "a decimal length has a byte of value 0 in it", offset: 0))
    let digits = String(repeating: "9", count: 25)
    let outcome = decodeEveryWay(framing, "1\0a" + digits)
    #expect(outcome.frames == [[97]])
    #expect(outcome.error == .malformed("a decimal length has more than 20 digits", offset: 3))
    #expect(
      decodeEveryWay(framing, digits.prefix(20) + "\0").error
        == .tooLong(limit: 1_048_576, seen: .max, offset: 0))
    #expect(decodeEveryWay(framing, "00000000000000000001\0a") == Outcome(text: ["a"]))
  }

  @Test("scenario B13: a block of the wrong size is not sent")
  func wrongSize() throws {
    let framing = try FixedLengthFraming(4)
    for text in ["ab", "cde", "", "abcde"] {
      #expect(
        throws: FramingError.unencodable("a block has 4 bytes, not \(text.utf8.count)")
      ) { try encode(framing, Array(text.utf8)) }
    }
  }

  @Test("scenario B15: a stream that ends inside a block is an error, and on a boundary it just ends (P25)")
  func truncation() throws {
    try checkBlocks(FixedLengthFraming(4), ["1234", "5678"].map { Array($0.utf8) })
    let blocks = ["a", "", "bc", "defghijklmno"].map { Array($0.utf8) }
    try checkBlocks(LengthPrefixFraming(.decimal), blocks)
    try checkBlocks(NetstringFraming(), blocks)
    try checkBlocks(LengthPrefixFraming(Ten()), blocks)
    try checkBlocks(LengthPrefixFraming(.varint), blocks)
    for field in [IntegerField.uint8, .uint16, .uint24, .uint32, .uint64] {
      for field in [field, field.littleEndian, field.countingItself, field.adjusted(by: -1)] {
        try checkBlocks(LengthPrefixFraming(field), blocks)
      }
      try checkBlocks(
        TLVFraming(type: field, length: .uint16), [.init(type: 7), .init(type: 255, value: [1, 2])])
    }
  }

  /// Four bytes, as the predecessors' test has them.
  struct Ten: LengthPrefix {
    func read(_ buffer: borrowing ReceiveBuffer) throws(FramingError) -> PrefixedLength? {
      guard buffer.count >= 4 else { return nil }
      return PrefixedLength(prefix: 4, content: UInt64(buffer[3]))
    }

    func write(_ length: Int, into output: inout [UInt8]) throws(FramingError) {
      output.append(contentsOf: [0, 0, 0, UInt8(length)])
    }
  }
}
