import Framing
import Testing

@Suite("Lines, as the predecessors' tests and their bug reports have them")
struct LineScenarioTests {
  @Test("scenario A1: any mix of CR, LF and pairs ends lines, and CRLF is sent")
  func mixedNewlines() throws {
    #expect(
      decodeEveryWay(LineFraming.anyNewline, "a\r", "b\n", "c\r\n", "d\n\r") == Outcome(["a", "b", "c", "d"]))
    #expect(try encode(LineFraming.anyNewline, "a", "b", "c", "d") == "a\r\nb\r\nc\r\nd\r\n")
  }

  @Test("scenario A3: blank lines are frames, and pairs are never counted twice")
  func blankLines() {
    #expect(decodeEveryWay(LineFraming.anyNewline, "a\n\nb\n") == Outcome(["a", "", "b"]))
    #expect(
      decodeEveryWay(LineFraming.anyNewline, "a\r\r\nb\r\n\r\nc\n\r\nd\n")
        == Outcome(["a", "", "b", "", "c", "", "d"]))
  }

  @Test("scenario A4: a line is delivered at its CR, and the LF that comes later is swallowed")
  func splitPair() {
    #expect(decodeEveryWay(LineFraming.anyNewline, "a\r", "\nb\r\n") == Outcome(["a", "b"]))
    var feed = Feed(LineFraming.anyNewline)
    #expect(feed.read("a\r") == ["a"])
    #expect(feed.buffer.isEmpty)
    #expect(feed.read("\n") == [])
    #expect(feed.buffer.isEmpty)
    #expect(feed.read("b\r\n") == ["b"])
  }

  @Test("scenario A6: a literal terminator may be any byte")
  func literal() throws {
    let framing = try LineFraming("x")
    #expect(
      decodeEveryWay(framing, "axa", "bxb", "cxc", "dxd") == Outcome(["a", "ab", "bc", "cd"], pending: "d"))
    #expect(try encode(framing, "a", "ab", "bc", "cd") == "axabxbcxcdx")
  }

  @Test("scenario A7: a literal terminator may straddle reads, and half of one is content")
  func straddlingLiteral() throws {
    let framing = try LineFraming("\r\n")
    #expect(
      decodeEveryWay(framing, "ab\r", "\ncd\r\n", "e\rf\ng\r\n", "tail")
        == Outcome(["ab", "cd", "e\rf\ng"], pending: "tail"))
    var feed = Feed(framing)
    #expect(feed.read("ab\r") == [])
    #expect(feed.read("\ncd\r\n") == ["ab", "cd"])
    #expect(feed.read("e\rf\ng\r\n") == ["e\rf\ng"])
    #expect(feed.read("tail") == [])
  }

  @Test("scenario A9: lines may come with one terminator and go with another")
  func separateLiterals() throws {
    let framing = try LineFraming("x", sends: "y")
    #expect(
      decodeEveryWay(framing, "axa", "bxb", "cxc", "dxd") == Outcome(["a", "ab", "bc", "cd"], pending: "d"))
    #expect(try encode(framing, "a", "ab", "bc", "cd") == "ayabybcycdy")
  }

  @Test("scenario A10: any of several bytes ends a line, and another is sent")
  func oneOfSeveral() throws {
    for terminator in [.oneOf("x", "y"), .oneOf([[120], [121]]), .run(of: "xy")] as [LineTerminator] {
      let framing = try LineFraming(terminator, sends: "!")
      #expect(
        decodeEveryWay(framing, "axa", "byb", "cxc", "dyd") == Outcome(["a", "ab", "bc", "cd"], pending: "d"))
      #expect(try encode(framing, "a", "ab", "bc", "cd") == "a!ab!bc!cd!")
    }
  }

  @Test("scenario A12: alternatives are whole terminators each, whatever they are combined with")
  func alternatives() throws {
    #expect(decodeEveryWay(try LineFraming(.oneOf("x", "y")), "1x2y3x") == Outcome(["1", "2", "3"]))
    let longer = try LineFraming(.oneOf("x", "xyz", "yy"))
    #expect(
      decodeEveryWay(longer, "1xyz2xy3yy4xyyy5xy", ended: true)
        == Outcome(["1", "2", "y3", "4", "", "y5", "y"]))
  }

  @Test("scenario A13: paragraphs end in two newlines or more, and nothing is between them")
  func paragraphs() throws {
    let framing = try LineFraming(.run(of: "\r\n", atLeast: 2))
    #expect(decodeEveryWay(framing, "p1\n\n", "\n\np2\n\n") == Outcome(["p1", "p2"]))
    #expect(decodeEveryWay(framing, "p1\n\n", "\n\np2\n\n", ended: true) == Outcome(["p1", "p2"]))
    #expect(
      decodeEveryWay(framing, "a\nb\r\n\r\nc\n", ended: true) == Outcome(["a\nb", "c\n"]))
    var feed = Feed(framing)
    #expect(feed.read("p1\n\n") == ["p1"])
    #expect(feed.read("\n") == [] && feed.buffer.isEmpty)
    #expect(feed.read("\np2\n") == [])
    #expect(feed.end() == ["p2\n"])
    #expect(
      decodeEveryWay(framing.keepingTerminator, "p1\n\n", "\n\np2\n\n", ended: true)
        == Outcome(["p1\n\n\n\n", "p2\n\n"]))
    #expect(try encode(framing, "p1") == "p1\r\r")
  }

  @Test("scenario A15: autodetection settles on LFCR, and then nothing else ends a line")
  func autodetectPair() {
    #expect(
      decodeEveryWay(LineFraming.autodetect, "a\n\r", "\rb\n\r", "c\r", "\n\r")
        == Outcome(["a", "\rb", "c\r"]))
  }

  @Test("scenario A16: autodetection settles on LF if no CR is next to it")
  func autodetectSingle() {
    #expect(
      decodeEveryWay(LineFraming.autodetect, "a\n", "b\r\n", "c\r", "\n") == Outcome(["a", "b\r", "c\r"]))
  }

  @Test("scenario A18: autodetection settles on CRLF, and a lone CR is content")
  func autodetectNetwork() {
    #expect(decodeEveryWay(LineFraming.autodetect, "a\r\nb\rc\r\n") == Outcome(["a", "b\rc"]))
  }

  @Test("scenario A27: what has not become a line can be peeked at, and is not consumed by that")
  func pending() {
    var feed = Feed(LineFraming())
    #expect(feed.read("whole line\r\npartial line") == ["whole line"])
    #expect(feed.buffer.pending == Array("partial line".utf8))
    #expect(feed.buffer.pending == Array("partial line".utf8))
    #expect(feed.decoder.isMidFrame(feed.buffer))
    #expect(feed.read("\n") == ["partial line"])
    #expect(!feed.decoder.isMidFrame(feed.buffer))
  }

  @Test("scenario A28: decoders of one framing share nothing, nor do copies of one")
  func independence() throws {
    let framing = try LineFraming("ab")
    var original = Feed(framing)
    #expect(original.read("one-a") == [])
    var copy = original
    var fresh = Feed(framing)
    #expect(fresh.read("b-a") == [])
    #expect(copy.read("-ab") == ["one-a-"])
    #expect(original.read("b") == ["one-"])
    #expect(fresh.read("b") == ["b-"])
    // A decoder that goes on with another buffer brings no half match along.
    _ = original.read("x-a")
    original.buffer = ReceiveBuffer()
    #expect(original.read("b-ab") == ["b-"])
  }

  @Test("scenario A30: bytes of every value pass through lines unchanged")
  func byteExact() throws {
    let line = Array(UInt8.min...UInt8.max).filter { $0 != 10 } + [0xC0, 0x80, 0xFF, 0xFE]
    let stream = line + [10] + line.reversed() + [10]
    #expect(decodeEveryWay(LineFraming().bytes, [stream]) == Outcome([line, line.reversed()]))
    var output: [UInt8] = []
    try LineFraming().bytes.makeEncoder().encode(line, into: &output)
    #expect(output == line + [10])
    let exact = try LineFraming([0], maximumLength: line.count).bytes
    #expect(decodeEveryWay(exact, [line.dropFirst() + [0]]).frames == [Array(line.dropFirst())])
  }
}
