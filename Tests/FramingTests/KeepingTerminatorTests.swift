import Framing
import Testing

@Suite("Lines with the terminator that they came with")
struct KeepingTerminatorTests {
  @Test("each line shows how it ended, and an unfinished one that it didn't")
  func newline() {
    #expect(
      decodeEveryWay(LineFraming().keepingTerminator, "a\nb\r\n\nc\rd\n\re", ended: true)
        == Outcome(["a\n", "b\r\n", "\n", "c\rd\n", "\re"]))
  }

  @Test("any newline is kept whole, though its halves come in two reads")
  func anyNewline() {
    #expect(
      decodeEveryWay(LineFraming.anyNewline.keepingTerminator, "a\r", "\nb\n", "\rc\r\rd\n", ended: true)
        == Outcome(["a\r\n", "b\n\r", "c\r", "\r", "d\n"]))
  }

  @Test("any newline at the end of what has come waits for the byte after it")
  func heldLine() {
    var feed = Feed(LineFraming.anyNewline.keepingTerminator)
    #expect(feed.read("a\n") == [])
    #expect(feed.decoder.isMidFrame(feed.buffer))
    #expect(feed.read("b") == ["a\n"])
    #expect(feed.read("\r") == [])
    #expect(feed.end() == ["b\r"])
  }

  @Test("autodetection holds the first line alone")
  func autodetect() {
    #expect(
      decodeEveryWay(LineFraming.autodetect.keepingTerminator, "a\r", "\nb\r\nc\n", ended: true)
        == Outcome(["a\r\n", "b\r\n", "c\n"]))
    var feed = Feed(LineFraming.autodetect.keepingTerminator)
    #expect(feed.read("a\n") == [])
    #expect(feed.read("b\n") == ["a\n", "b\n"])
    #expect(feed.read("c\n") == ["c\n"])
  }

  @Test("lines are sent as they are")
  func encoder() throws {
    #expect(try encode(LineFraming().keepingTerminator, "a\r\n", "b\n", "c") == "a\r\nb\nc")
    #expect(try encode(LineFraming("x", sends: "y").keepingTerminator, "ax") == "ax")
  }

  @Test("bytes and keeping the terminator go together in either order")
  func eitherOrder() throws {
    let expected = Outcome<[UInt8]>([[97, 13, 10], [98, 10]])
    #expect(decodeEveryWay(LineFraming().keepingTerminator.bytes, "a\r\nb\n") == expected)
    #expect(decodeEveryWay(LineFraming().bytes.keepingTerminator, "a\r\nb\n") == expected)
    #expect(try encode(LineFraming().keepingTerminator.bytes, [97]) == "a")
    #expect(try encode(LineFraming().bytes.keepingTerminator, [97]) == "a")
  }
}
