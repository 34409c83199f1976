import Framing
import Testing

@Suite("Limits of lines")
struct LineLimitTests {
  private static let tooLong = FramingError.tooLong(limit: 5, seen: 6, offset: 0)

  @Test("scenario A21: a line without an end fails at the first byte too many", arguments: Mode.all)
  func unterminated(mode: Mode) throws {
    let framing = try LineFraming(mode.terminator, maximumLength: 5)
    #expect(decodeEveryWay(framing, "1234567890") == Outcome([], pending: "1234567890", error: Self.tooLong))
    var feed = Feed(framing)
    #expect(feed.read("12345") == [] && feed.error == nil)
    #expect(feed.read("6") == [] && feed.error == Self.tooLong)
  }

  @Test("a line that never ends is refused by default, and no more is held than the limit and a read (P23)")
  func unlimitedByNobody() {
    for framing in [LineFraming(), .anyNewline, .autodetect] {
      var feed = Feed(framing)
      let read = [UInt8](repeating: 97, count: 1_000)
      var received = 0
      while feed.error == nil, received < 1_000_000 {
        #expect(feed.read(read) == [])
        received += read.count
        #expect(feed.buffer.count <= LineFraming.defaultMaximumLength + read.count)
      }
      #expect(feed.error == .tooLong(limit: 65_536, seen: 65_537, offset: 0))
      #expect(received == 66_000)
    }
  }

  @Test("scenario A22: the limit holds for each line, not for what a read brings", arguments: Mode.all)
  func manyInOneRead(mode: Mode) throws {
    let framing = try LineFraming(mode.terminator, maximumLength: 5)
    let end = mode.end
    let stream = ["a", "b", "c", "d", "e", "f"].map { $0 + end }.joined()
    #expect(decodeEveryWay(framing, stream) == Outcome(["a", "b", "c", "d", "e", "f"]))
  }

  @Test("scenario A24: a line that is too long fails though its end is there", arguments: Mode.all)
  func terminated(mode: Mode) throws {
    let framing = try LineFraming(mode.terminator, maximumLength: 5)
    let stream = "This line is going to be to long for our filter" + mode.end
    #expect(decodeEveryWay(framing, stream) == Outcome([], pending: stream, error: Self.tooLong))
  }

  @Test("lines before one that is too long are delivered", arguments: Mode.all)
  func linesBefore(mode: Mode) throws {
    let framing = try LineFraming(mode.terminator, maximumLength: 5)
    let before = "12345" + mode.end + mode.end
    let outcome = decodeEveryWay(framing, before + "123456" + mode.end + "x" + mode.end)
    #expect(outcome.frames == ["12345", ""])
    #expect(outcome.error == .tooLong(limit: 5, seen: 6, offset: UInt64(before.utf8.count)))
    #expect(
      decodeEveryWay(framing.keepingTerminator, before + "123456").frames == ["12345" + mode.end, mode.end])
  }

  @Test("what may be half of a terminator does not count until it turns out not to be one")
  func possibleHalf() throws {
    let lines = try LineFraming(maximumLength: 5)
    #expect(decodeEveryWay(lines, "12345\r") == Outcome([], pending: "12345\r"))
    #expect(decodeEveryWay(lines, "12345\r\n") == Outcome(["12345"]))
    #expect(decodeEveryWay(lines, "12345\r\r").error == Self.tooLong)
    #expect(decodeEveryWay(lines, "12345\r", ended: true).error == Self.tooLong)
    let literal = try LineFraming("<==>", maximumLength: 5)
    #expect(decodeEveryWay(literal, "12345<==") == Outcome([], pending: "12345<=="))
    #expect(decodeEveryWay(literal, "12345<==>") == Outcome(["12345"]))
    #expect(decodeEveryWay(literal, "12345<==<").error == Self.tooLong)
  }

  @Test("a mebibyte without a newline fails at one byte more than the limit, at once or in pieces")
  func mebibyte() {
    let limit = LineFraming.defaultMaximumLength
    let expected = FramingError.tooLong(limit: 65_536, seen: 65_537, offset: 0)
    let piece = [UInt8](repeating: 97, count: 1_024)
    var feed = Feed(LineFraming())
    for _ in 0..<(limit / 1_024) { #expect(feed.read(piece) == [] && feed.error == nil) }
    #expect(feed.read("a") == [] && feed.error == expected)
    var atOnce = Feed(LineFraming())
    #expect(atOnce.read([UInt8](repeating: 97, count: 1 << 20)) == [] && atOnce.error == expected)
  }

  @Test("a decoder that has failed throws the same for ever, though better bytes follow")
  func failsForEver() throws {
    var tooLong = Feed(try LineFraming(maximumLength: 5))
    _ = tooLong.read("123456")
    var invalid = Feed(LineFraming())
    _ = invalid.read([0xFF, 10])
    var unfinished = Feed(try LineFraming(unfinishedLastLine: .fail).bytes)
    _ = unfinished.read("a") + unfinished.end()
    #expect(tooLong.error == Self.tooLong)
    #expect(invalid.error == .invalidUTF8(offset: 0))
    #expect(unfinished.error == .truncated(held: 1, offset: 0))

    func staysFailed<F: Framing>(_ feed: Feed<F>) {
      var feed = feed
      feed.buffer = ReceiveBuffer()
      #expect(feed.read("good\n") == [] && feed.end() == [])
      #expect(feed.buffer.count == 5)
    }
    staysFailed(tooLong)
    staysFailed(invalid)
    staysFailed(unfinished)
  }

  @Test("the greatest limit there is works")
  func greatestLimit() throws {
    #expect(decodeEveryWay(try LineFraming(maximumLength: .max), "a\nb") == Outcome(["a"], pending: "b"))
  }

  struct Mode: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var terminator: LineTerminator
    var end: String

    static let all = [
      Mode(testDescription: "newline", terminator: .newline, end: "\n"),
      Mode(testDescription: "newline, CRLF", terminator: .newline, end: "\r\n"),
      Mode(testDescription: "any newline", terminator: .anyNewline, end: "\r\n"),
      Mode(testDescription: "autodetect", terminator: .autodetect, end: "\r\n"),
      Mode(testDescription: "literal", terminator: "<=>", end: "<=>"),
    ]
  }
}
