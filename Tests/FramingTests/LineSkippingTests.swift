import Framing
import TestSupport
import Testing

@Suite("Lines, skipping bad ones")
struct LineSkippingTests {
  @Test(
    "a line that is too long is dropped and counted, and the next one comes",
    arguments: LineLimitTests.Mode.all)
  func tooLong(mode: LineLimitTests.Mode) throws {
    let framing = try LineFraming(mode.terminator, maximumLength: 3, badFrames: .skip)
    let end = mode.end
    let stream = "abc" + end + "abcd" + end + "abcdefghij" + end + end + "x" + end
    #expect(decodeEveryWay(framing, stream, ended: true) == Outcome(["abc", "", "x"]))
    #expect(
      decodeEveryWay(framing.keepingTerminator, stream, ended: true)
        == Outcome(["abc" + end, end, "x" + end]))
    #expect(decodeEveryWay(framing, stream + "abcd", ended: true) == Outcome(["abc", "", "x"]))
    #expect(decodeEveryWay(framing, stream + "ab", ended: true) == Outcome(["abc", "", "x", "ab"]))
    for reads in [[stream], stream.map { String($0) }] {
      var feed = Feed(framing)
      for read in reads { _ = feed.read(read) }
      #expect(feed.decoder.skippedFrames == 2)
    }
  }

  @Test("a line that is not UTF-8 is dropped and counted")
  func invalidUTF8() throws {
    let framing = try LineFraming(badFrames: .skip)
    let stream = Array("a\nb".utf8) + [0xFF, 10] + Array("c\n".utf8) + [0xFF]
    #expect(decodeEveryWay(framing, [stream], ended: true) == Outcome(["a", "c"]))
    var feed = Feed(framing)
    #expect(feed.read(stream) == ["a", "c"] && feed.end() == [])
    #expect(feed.decoder.skippedFrames == 2)
  }

  @Test("frames with a delimiter of one's own can be dropped too")
  func delimited() throws {
    func check(_ framing: LineBytesFraming) {
      #expect(decodeEveryWay(framing, [[1, 0, 1, 2, 3, 0, 4, 0]]) == Outcome([[1], [4]]))
    }
    check(try .delimited(by: [0], maximumLength: 2, badFrames: .skip))
  }

  @Test("what is dropped takes no memory, however long it goes on", arguments: LineLimitTests.Mode.all)
  func bounded(mode: LineLimitTests.Mode) throws {
    for framing in [
      try LineFraming(mode.terminator, maximumLength: 10, badFrames: .skip),
      try LineFraming(mode.terminator, maximumLength: 10, badFrames: .skip).keepingTerminator,
    ] {
      var feed = Feed(framing)
      for _ in 0..<1_000 {
        #expect(feed.read("a") == [])
        #expect(feed.buffer.count <= 11)
      }
      #expect(feed.read(mode.end + "b" + mode.end).map(\.first) + feed.end().map(\.first) == ["b"])
    }
  }

  @Test("any bytes, cut anyhow, come to the same", arguments: LinePropertyTests.Mode.all.map(\.terminator))
  func everySplit(terminator: LineTerminator) throws {
    var random = SeededGenerator(seed: 8)
    let framing = try LineFraming(terminator, maximumLength: 3, badFrames: .skip).bytes
    for _ in 0..<12 {
      let stream = random.bytes(.random(in: 0...16, using: &random), from: [10, 13, 97, 97, 98])
      for ended in [true, false] {
        _ = decodeEveryWay(framing, [stream], ended: ended)
        _ = decodeEveryWay(framing.keepingTerminator, [stream], ended: ended)
      }
    }
    let several = try LineFraming(.oneOf("a", "ab", "bba"), maximumLength: 3, badFrames: .skip).bytes
    let runs = try LineFraming(.run(of: "a", atLeast: 2), maximumLength: 3, badFrames: .skip).bytes
    for _ in 0..<4 {
      let stream = random.bytes(.random(in: 0...16, using: &random), from: [97, 98, 99])
      for ended in [true, false] {
        _ = decodeEveryWay(several, [stream], ended: ended)
        _ = decodeEveryWay(runs, [stream], ended: ended)
      }
    }
  }

  @Test("an unfinished last line that must be an error is one, though bad lines are dropped")
  func unfinished() throws {
    let framing = try LineFraming(maximumLength: 3, unfinishedLastLine: .fail, badFrames: .skip)
    #expect(
      decodeEveryWay(framing, "abcd\nab", ended: true)
        == Outcome([], pending: "ab", error: .truncated(held: 2, offset: 5)))
  }
}
