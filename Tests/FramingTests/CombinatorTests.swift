import Framing
import Testing

@Suite("Combinators")
struct CombinatorTests {
  @Test("the last group of a stream may be shorter, and nothing is consumed of a group that is not whole")
  func lastChunk() throws {
    let framing = try LineFraming().chunked(2)
    #expect(decodeEveryWay(framing, "a\nb\nc\n", ended: true) == Outcome([["a", "b"], ["c"]]))
    #expect(decodeEveryWay(framing, "a\nb\nc\nd", ended: true) == Outcome([["a", "b"], ["c", "d"]]))
    #expect(decodeEveryWay(framing, "a\nb\nc\nd") == Outcome([["a", "b"]], pending: "c\nd"))
    #expect(decodeEveryWay(framing, "", ended: true) == Outcome([]))
    #expect(failure { _ = try LineFraming().chunked(0) } != nil)
    var feed = Feed(framing)
    #expect(feed.read("a\n") == [] && feed.decoder.isMidFrame(feed.buffer))
    #expect(feed.read("b\n") == [["a", "b"]] && !feed.decoder.isMidFrame(feed.buffer))
  }

  @Test("a group of lines of any kind is the same however reads are cut")
  func chunkedModes() throws {
    for terminator in [.anyNewline, .autodetect, "\r\n", "aab"] as [LineTerminator] {
      let lines = try LineFraming(terminator)
      for framing in [try lines.chunked(2), try lines.keepingTerminator.chunked(3)] {
        _ = decodeEveryWay(framing, "a\r\nb\r\naabaaab\n\rc\r\r\nd\n", ended: true)
      }
    }
  }

  @Test("a group that comes byte by byte is looked at once (P21)")
  func chunkedLinear() throws {
    var feed = Feed(try LookCounting().chunked(2))
    let line = [UInt8](repeating: 97, count: 1_000) + [10]
    var chunks: [[Int]] = []
    for byte in line + line { chunks += feed.read([byte]) }
    #expect(chunks == [[1_001, 2_002]])
  }

  /// Lines, as the number of bytes that have been looked at since the beginning.
  private struct LookCounting: Framing {
    func makeDecoder() -> Decoder { Decoder() }
    func makeEncoder() -> RawFraming.Encoder { RawFraming().makeEncoder() }

    struct Decoder: FrameDecoder {
      var looked = 0

      mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> Int? {
        looked += buffer.count - buffer.searched
        guard let end = buffer.firstIndex(of: 10, from: buffer.searched) else {
          buffer.searched = buffer.count
          return nil
        }
        buffer.consume(end + 1)
        return looked
      }
    }
  }

  @Test("an error in a group comes at its place")
  func chunkedError() throws {
    let framing = try LineFraming(maximumLength: 3).chunked(2)
    #expect(
      decodeEveryWay(framing, "a\nb\nc\nlong\n")
        == Outcome([["a", "b"]], pending: "c\nlong\n", error: .tooLong(limit: 3, seen: 4, offset: 6)))
    #expect(
      decodeEveryWay(try LengthPrefixFraming(.uint8).chunked(2), [[1, 7, 1, 8, 1, 9, 2]], ended: true).error
        == .truncated(held: 1, offset: 6))
  }

  @Test("a framing may stand in the frames of another, whatever cuts its frames")
  func stacking() throws {
    let framing = LengthPrefixFraming(.uint8).then(LineFraming())
    #expect(
      decodeEveryWay(framing, "\u{1}a\u{5}b\ncd\n\u{0}\u{2}e\n", ended: true) == Outcome(["ab", "cd", "e"]))
    #expect(decodeEveryWay(framing, "\u{2}ab", ended: true) == Outcome(["ab"]))
    #expect(try encode(framing, "one", "") == "\u{4}one\n\u{1}\n")
    var feed = Feed(framing)
    #expect(feed.read("\u{4}a\nbc\u{3}d") == ["a"])
    #expect(feed.decoder.pending == Array("bc".utf8) && feed.decoder.isMidFrame(feed.buffer))
    #expect(feed.buffer.pending == Array("\u{3}d".utf8))
    #expect(feed.end() == [] && feed.error == .truncated(held: 2, offset: 5))
    let twice = LengthPrefixFraming(.uint8).then(NetstringFraming()).then(.lineBytes)
    try checkOutermost(twice)
    #expect(
      decodeEveryWay(LengthPrefixFraming(.uint8).then(NetstringFraming()), "\u{2}3:", ended: true).error
        == .truncated(held: 2, offset: 0))
  }

  private func checkOutermost<F: Framing>(
    _ framing: F
  ) throws where F.Decoder.Frame == [UInt8], F.Encoder.Frame == [UInt8] {
    let frames = ["a", "", "bcd"].map { Array($0.utf8) }
    let stream = try encoded(framing, frames)
    #expect(stream == Array("\u{5}2:a\n,\u{4}1:\n,\u{7}4:bcd\n,".utf8))
    #expect(decodeEveryWay(framing, [stream], ended: true) == Outcome(frames))
  }

  @Test("an error of a transformation that is a framing error stays what it is")
  func ownErrors() throws {
    let error = FramingError.malformed("mine", offset: 42)
    let framing = LineFraming().map(
      { _ throws -> String in throw error }, outbound: { (_: Int) in throw error })
    #expect(decodeEveryWay(framing, "a\n").error == error)
    #expect(failure { _ = try encode(framing, 1) } == error)
  }

  @Test("the place of an error does not depend on when the other half of a newline came")
  func placeAfterMate() {
    struct Bad: Error {}
    let framing = LineFraming.anyNewline.map { line throws -> String in
      if line == "bad" { throw Bad() }
      return line
    }
    let outcome = decodeEveryWay(framing, "a\r\nbad\n")
    #expect(outcome.error == .malformed("Bad()", offset: 3))
  }

  @Test("nothing is lost or repeated when a combinator gives way to another codec (P28)")
  func switching() throws {
    let stream = Array("one\nxtwo\nxthree\nfour\nrest".utf8)
    try check(LineFraming().filter { $0.hasPrefix("x") }, stream)
    try check(LineFraming().compactMap { $0.hasPrefix("x") ? $0 : nil }, stream)
    try check(LineFraming().chunked(2), stream)
    try check(LineFraming().chunked(3), stream)
  }

  /// Switches after each frame, however the reads are cut: what the new codec sees is the same for every cut, and
  /// is the end of the stream.
  private func check<F: Framing>(_ framing: F, _ stream: [UInt8]) throws where F.Decoder.Frame: Equatable {
    let frames = Outcome(of: framing, reads: [stream], ended: false).frames.count
    for switchAfter in 1...frames {
      var rests: [[UInt8]] = []
      for cut in stream.indices {
        var buffer = ReceiveBuffer()
        var decoder = framing.makeDecoder()
        var taken = 0
        var rest: [UInt8] = []
        for read in [stream[..<cut], stream[cut...]] {
          buffer.append(contentsOf: read)
          while taken < switchAfter, try decoder.decode(&buffer) != nil { taken += 1 }
          if taken == switchAfter { rest += try RawFraming().makeDecoder().decode(&buffer) ?? [] }
        }
        rests.append(rest)
      }
      #expect(rests.allSatisfy { $0 == rests[0] && stream.reversed().starts(with: $0.reversed()) })
      #expect(!rests[0].isEmpty)
    }
  }
}
