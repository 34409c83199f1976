import Framing
import Testing

@Suite("Different codecs in and out")
struct DuplexFramingTests {
  @Test("scenario E6: words come in while lines go out")
  func wordsInLinesOut() throws {
    let framing = QuotedWords().sending(LineFraming())
    #expect(
      decodeEveryWay(framing, "\"This is just a test\" \"line\" \"so there\"\r\nplain words\n")
        == Outcome([["This is just a test", "line", "so there"], ["plain", "words"]]))
    #expect(try encode(framing, "one", "two") == "one\ntwo\n")
  }

  @Test("an error of a user's own codec is one like the others")
  func malformed() {
    #expect(
      decodeEveryWay(QuotedWords(), "fine\n\"open\nrest\n")
        == Outcome(
          [["fine"]], pending: "rest\n", error: .malformed("a quote is not closed", offset: 5)))
  }

  @Test("scenario E6: switching the decoder leaves the encoder alone, and the other way round")
  func independentDirections() throws {
    var decoder = LineFraming().makeDecoder()
    var encoder = try LineFraming(sends: "\r\n").makeEncoder()
    var buffer = ReceiveBuffer(Array("a\nbxc\nd".utf8))
    var output: [UInt8] = []
    #expect(try decoder.decode(&buffer) == "a")
    decoder = try LineFraming("x").makeDecoder()
    encoder.encodeOrFail("1", into: &output)
    #expect(try decoder.decode(&buffer) == "b")
    encoder = try LineFraming(sends: "!").makeEncoder()
    encoder.encodeOrFail("2", into: &output)
    #expect(try decoder.decode(&buffer) == nil)
    #expect(output == Array("1\r\n2!".utf8))
  }

  @Test("sending again replaces the encoder")
  func chained() throws {
    let framing = LineFraming().sending(RawFraming()).sending(LineFraming.anyNewline)
    #expect(try encode(framing, "a") == "a\r\n")
  }
}

extension FrameEncoder {
  fileprivate mutating func encodeOrFail(_ frame: Frame, into output: inout [UInt8]) {
    #expect(throws: Never.self) { try encode(frame, into: &output) }
  }
}
