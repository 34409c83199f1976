import Framing
import Testing

@Suite("Lines, by default")
struct LineFramingTests {
  @Test("LF and CRLF end a line, and a CR anywhere else belongs to it")
  func newlines() {
    #expect(
      decodeEveryWay(LineFraming(), "a\nb\r\n\n\r\nc\rd\r\r\n\re", "\n")
        == Outcome(["a", "b", "", "", "c\rd\r", "\re"]))
  }

  @Test("LF is sent")
  func sendsLF() throws {
    #expect(try encode(LineFraming(), "a", "", "b") == "a\n\nb\n")
    #expect(try encode(LineFraming().bytes, [97], [], [98]) == "a\n\nb\n")
  }

  @Test("scenario A25: the encoder does not inspect what it sends")
  func encoderDoesNotInspect() throws {
    let framing = try LineFraming("\r\n")
    #expect(try encode(framing, "") == "\r\n")
    #expect(try encode(framing, "a\nb") == "a\nb\r\n")
    #expect(try encode(LineFraming.anyNewline, "", "a\nb") == "\r\na\nb\r\n")
    #expect(try encode(LineFraming.autodetect, "a") == "a\r\n")
  }

  @Test("an unfinished last line is a line")
  func lastLine() {
    #expect(decodeEveryWay(LineFraming(), "a\nb", ended: true) == Outcome(["a", "b"]))
    #expect(decodeEveryWay(LineFraming(), "a\nb\r", ended: true) == Outcome(["a", "b\r"]))
    #expect(decodeEveryWay(LineFraming(), "a\n", ended: true) == Outcome(["a"]))
    #expect(decodeEveryWay(LineFraming(), "", ended: true) == Outcome([]))
    #expect(decodeEveryWay(LineFraming.anyNewline, "a\r", ended: true) == Outcome(["a"]))
  }

  @Test("an unfinished last line is an error if the framing says so, and stays in the buffer")
  func lastLineFails() throws {
    let framing = try LineFraming(unfinishedLastLine: .fail)
    #expect(
      decodeEveryWay(framing, "ab\ncde", ended: true)
        == Outcome(["ab"], pending: "cde", error: .truncated(held: 3, offset: 3)))
    #expect(decodeEveryWay(framing, "ab\r\n", ended: true) == Outcome(["ab"]))
    let any = try LineFraming(.anyNewline, unfinishedLastLine: .fail)
    #expect(decodeEveryWay(any, "ab\r", ended: true) == Outcome(["ab"]))
    #expect(decodeEveryWay(any.keepingTerminator, "ab\r", ended: true) == Outcome(["ab\r"]))
  }

  @Test("ending the stream takes the whole lines first")
  func finishWithoutDecode() throws {
    var decoder = LineFraming().makeDecoder()
    var buffer = ReceiveBuffer(Array("a\nb\nc".utf8))
    var lines: [String] = []
    while let line = try decoder.finish(&buffer) { lines.append(line) }
    #expect(lines == ["a", "b", "c"])
  }

  @Test("text beyond ASCII passes, though reads cut it inside a character")
  func unicode() {
    #expect(decodeEveryWay(LineFraming(), "naïve\n日本\r\n🦀\n") == Outcome(["naïve", "日本", "🦀"]))
  }

  @Test("a line that is not UTF-8 fails with the place of the first bad byte, after the lines before it")
  func invalidUTF8() {
    let stream = Array("good\nba".utf8) + [0xFF, 0x64, 10] + Array("next\n".utf8)
    let outcome = decodeEveryWay(LineFraming(), [stream])
    #expect(outcome.frames == ["good"])
    #expect(outcome.error == .invalidUTF8(offset: 7))
    #expect(outcome.pending == Array(stream.dropFirst(5)))
    #expect(decodeEveryWay(LineFraming(), [[0xE6, 0x97]], ended: true).error == .invalidUTF8(offset: 0))
  }

  @Test("a million blank lines are a million frames")
  func blankLines() throws {
    var decoder = LineFraming().bytes.makeDecoder()
    var buffer = ReceiveBuffer([UInt8](repeating: 10, count: 1_000_000))
    var count = 0
    while let line = try decoder.decode(&buffer), line.isEmpty { count += 1 }
    #expect(count == 1_000_000)
    #expect(buffer.offset == 1_000_000)
  }
}
