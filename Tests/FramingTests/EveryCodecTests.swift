import Framing
import TestSupport
import Testing

@Suite("What holds for every codec")
struct EveryCodecTests {
  @Test("scenario A28: a copy goes its own way, whatever codec it is a copy of")
  func copies() throws {
    try checkCopies(FixedLengthFraming(3), Array("abc".utf8))
    try checkCopies(LengthPrefixFraming(.uint16), Array("abc".utf8))
    try checkCopies(LengthPrefixFraming(.varint), Array("abc".utf8))
    try checkCopies(LengthPrefixFraming(.decimal), Array("abc".utf8))
    try checkCopies(HeaderFraming(length: 2, field: .uint8, at: 0), [1, 7, 9])
    try checkCopies(NetstringFraming(), Array("abc".utf8))
    try checkCopies(TLVFraming(type: .uint8, length: .uint8), .init(type: 1, value: [2, 3]))
    try checkCopies(SLIPFraming(), [0xC0, 1, 0xDB])
    try checkCopies(COBSFraming(), [1, 0, 2])
    try checkCopies(STXETXFraming(), [1, 2, 3])
    try checkCopies(SLIPFraming().checksummed(.crc32), [1, 2, 3])
    try checkCopies(LineFraming(.oneOf("--", "++")), "abc")
    try checkCopies(LineFraming(.run(of: " ", atLeast: 2)), "abc")
    try checkCopies(LineFraming().chunked(2), ["a", "b"])
    try checkCopies(LineFraming().filter { $0 != "" }, "abc")
    try checkCopies(LengthPrefixFraming(.uint8).then(LineFraming()), "abc")
  }

  private func checkCopies<F: Framing>(
    _ framing: F, _ frame: F.Encoder.Frame, sourceLocation: SourceLocation = #_sourceLocation
  ) throws where F.Encoder.Frame == F.Decoder.Frame, F.Decoder.Frame: Equatable {
    let stream = try encoded(framing, [frame, frame])
    for cut in 0...stream.count {
      var original = Feed(framing)
      let before = original.read(Array(stream[..<cut]))
      var copy = original
      var fresh = Feed(framing)
      #expect(fresh.read(stream) == [frame, frame], sourceLocation: sourceLocation)
      #expect(before + copy.read(Array(stream[cut...])) == [frame, frame], sourceLocation: sourceLocation)
      #expect(
        before + original.read(Array(stream[cut...])) == [frame, frame], sourceLocation: sourceLocation)
    }
  }

  @Test(
    "any bytes come to the same however they are cut, and never trap (P19, P63)", arguments: 0..<2 as Range)
  func anyBytes(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    func exercise<F: Framing>(_ framing: F, _ alphabet: [UInt8]) where F.Decoder.Frame: Equatable {
      for _ in 0..<5 {
        let stream = random.bytes(.random(in: 0...16, using: &random), from: alphabet)
        for ended in [true, false] { _ = decodeEveryWay(framing, [stream], ended: ended) }
      }
    }
    let lengths: [UInt8] = [0, 0, 1, 2, 3, 0x80, 0xFF]
    for field in [IntegerField.uint8, .uint16, .uint24.littleEndian, .uint64, .uint8.countingItself] {
      exercise(try LengthPrefixFraming(field, maximumLength: 4, maximumEmptyRun: 2), lengths)
      exercise(TLVFraming(type: .uint8, length: field), lengths)
      exercise(try HeaderFraming(length: 9, field: field.adjusted(by: -9), at: 1), lengths)
    }
    exercise(try LengthPrefixFraming(.varint, maximumLength: 4), lengths)
    exercise(LengthPrefixFraming(.varint), [0x80, 0x80, 0x80, 0xFF, 1])
    let digits = Array("0123:,,\0".utf8)
    exercise(LengthPrefixFraming(.decimal), digits + [0])
    exercise(try NetstringFraming(maximumLength: 12), digits)
    exercise(try FixedLengthFraming(3), lengths)
    exercise(try LengthPrefixFraming(.uint8, maximumLength: 4).chunked(2), lengths)
    exercise(LengthPrefixFraming(.uint8).checksummed(.xor8), lengths)
    exercise(LengthPrefixFraming(.uint8).then(.cobs), lengths)
    exercise(LengthPrefixFraming(.uint8).filter { $0.count != 1 }, lengths)
    exercise(try LineFraming(maximumLength: 3).chunked(2), [10, 13, 97])
    exercise(LineFraming.anyNewline.flatMap { Array(repeating: $0, count: $0.utf8.count) }, [10, 13, 97])
  }
}
