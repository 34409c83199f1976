import Framing
import Testing

@Suite("Combinators, as the predecessors' tests and their bug reports have them")
struct CombinatorScenarioTests {
  @Test("scenario C1: no framing joins what has come, sends piece by piece, and makes nothing of nothing")
  func stream() throws {
    var buffer = ReceiveBuffer()
    for piece in ["a", "bc", "def", "ghij", "klmno"] { buffer.append(contentsOf: Array(piece.utf8)) }
    let decoder = RawFraming().makeDecoder()
    #expect(try decoder.decode(&buffer) == Array("abcdefghijklmno".utf8))
    #expect(try decoder.decode(&buffer) == nil)
    #expect(buffer.pending == [])
    var feed = Feed(RawFraming())
    #expect(feed.read("") == [])
    #expect(try encode(RawFraming(), Array("a".utf8), [], Array("bc".utf8)) == "abc")
  }

  @Test("scenario C3: a frame that is mapped away does not hold up those behind it, and one may become many")
  func mapping() throws {
    let dropping = LineFraming().compactMap { $0 == "b" ? nil : $0.uppercased() }
    #expect(decodeEveryWay(dropping, "a\nb\nc\n") == Outcome(["A", "C"]))
    #expect(decodeEveryWay(dropping, "b\nb\nb\nc", ended: true) == Outcome(["C"]))
    #expect(try encode(dropping, "b") == "b\n")
    let doubling = LineFraming().flatMap { [$0, $0] }
    #expect(decodeEveryWay(doubling, "a\nb\n") == Outcome(["a", "a", "b", "b"]))
    #expect(decodeEveryWay(doubling, "a\nb", ended: true) == Outcome(["a", "a", "b", "b"]))
    #expect(try encode(doubling, "a") == "a\n")
    let words = LineFraming().flatMap { $0.split(separator: " ").map(String.init) }
    #expect(decodeEveryWay(words, "\none two\n\n\nthree\n") == Outcome(["one", "two", "three"]))
  }

  @Test("scenario C4: a filter for each direction, and neither stalls")
  func filtering() throws {
    let digitsInLettersOut = LineFraming().filter(
      { $0.allSatisfy(\.isNumber) }, outbound: { $0.allSatisfy(\.isLetter) })
    #expect(decodeEveryWay(digitsInLettersOut, "a\nb\nc\n1\n2\n3\n") == Outcome(["1", "2", "3"]))
    #expect(try encode(digitsInLettersOut, "A", "B", "C", "1", "2", "3") == "A\nB\nC\n")
    let words = LineFraming().filter { $0.allSatisfy { $0.isLetter || $0.isNumber } }
    #expect(
      decodeEveryWay(words, "a\nb\nc\n1\n2\n3\n!\n@\n") == Outcome(["a", "b", "c", "1", "2", "3"]))
    var decoder = LineFraming().filter { Int($0)?.isMultiple(of: 2) == false }.makeDecoder()
    var buffer = ReceiveBuffer(Array("1\n1\n2\n3\n5\n".utf8))
    #expect(buffer.pending == Array("1\n1\n2\n3\n5\n".utf8))
    for expected in ["1", "1", "3", "5", nil] { #expect(try decoder.decode(&buffer) == expected) }
  }

  @Test("scenario C6: groups may be regrouped as they are sent, and what is held back goes out later")
  func regrouping() throws {
    var encoder = try ChunkedFraming.words().makeEncoder()
    func put(_ chunks: [String]...) throws -> String {
      var output: [UInt8] = []
      for chunk in chunks { try encoder.encode(chunk, into: &output) }
      return String(decoding: output, as: UTF8.self)
    }
    #expect(try put(["1", "2"], ["3", "A"]) == "1 2 3 " && encoder.held == ["A"])
    #expect(try put(["2", "3", "1", "2", "3"], ["1", "2", "3", "B"]) == "A 2 3 1 2 3 1 2 3 ")
    #expect(encoder.held == ["B"])
    #expect(
      try put(["2", "3", "1", "2"], ["3", "1"], ["2", "3", "1"], ["2", "3"]) == "B 2 3 1 2 3 1 2 3 1 2 3 ")
    #expect(encoder.held == [])
    #expect(try put(["x"]) == "" && encoder.held == ["x"])
    encoder.sendsWholeChunks = false
    #expect(try put(["y", "z"]) == "x y z " && encoder.held == [])
    #expect(try encode(LineFraming().chunked(3), ["a", "b"], [], ["c"]) == "a\nb\nc\n")
  }

  @Test("scenario C7: lines, wrapped, filtered and grouped, in both directions")
  func stack() throws {
    let framing = try LineFraming("!").map { "(((" + $0 + ")))" }.filter { $0.contains("1") }.chunked(2)
    let expected = ["(((test one (1))))", "(((test four (100))))"]
    var feed = Feed(framing)
    #expect(feed.read("test one (1)!test two (2)!") == [])
    #expect(feed.read("test three (3)!test four (100)!") == [expected])
    #expect(
      decodeEveryWay(framing, "test one (1)!test two (2)!test three (3)!test four (100)!")
        == Outcome([expected]))
    let text = try encode(framing, expected, expected)
    #expect(text == (expected + expected).map { $0 + "!" }.joined())
  }

  @Test("scenario C9: lines that are filtered out do not stop the flow")
  func flow() throws {
    let framing = try LineFraming("\n").filter { $0.contains("x") }
    #expect(decodeEveryWay(framing, "a\nb\nx1\nc\nx2\n") == Outcome(["x1", "x2"]))
  }

  @Test("scenario C10: what the first stage has not made a frame of goes to the next codec")
  func partialStage() throws {
    var feed = Feed(LineFraming().map { $0.uppercased() })
    #expect(feed.read("one\ntwo\nthr") == ["ONE", "TWO"])
    feed.buffer.forgetSearch()
    #expect(try RawFraming().makeDecoder().decode(&feed.buffer) == Array("thr".utf8))

    var chunks = Feed(try LineFraming().chunked(2))
    #expect(chunks.read("one\ntwo\nthree\nfo") == [["one", "two"]])
    chunks.buffer.forgetSearch()
    #expect(try RawFraming().makeDecoder().decode(&chunks.buffer) == Array("three\nfo".utf8))
  }

  @Test("scenario C12: values are written after their lengths, and come back, compressed or not")
  func values() throws {
    let framing = LengthPrefixFraming(.decimal).messages(Words())
    let one = ["one", "two"]
    let other = ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "b"]
    let stream = try encode(framing, one, other)
    #expect(stream.hasPrefix("7\0one two49\0"))
    #expect(decodeEveryWay(framing, stream) == Outcome([one, other]))
    #expect(decodeEveryWay(framing, stream + stream) == Outcome([one, other, one, other]))
    #expect(
      decodeEveryWay(framing, stream + "100\0partial reference")
        == Outcome([one, other], pending: "100\0partial reference"))

    let compressed = LengthPrefixFraming(.decimal)
      .map({ RunLengths.expand($0) }, outbound: { RunLengths.compress($0) }).messages(Words())
    let short = try encoded(compressed, [other])
    #expect(try short.count < encoded(framing, [other]).count)
    #expect(decodeEveryWay(compressed, [short + short]) == Outcome([other, other]))
  }

  @Test(
    "scenario C13: a value that can't be decoded is an error, never a value, and the decoder stays failed")
  func badValues() throws {
    let framing = LengthPrefixFraming(.decimal).messages(Words())
    let expected = FramingError.malformed("notWords", offset: 3)
    #expect(
      decodeEveryWay(framing, "1\0a12\0..junk..junk1\0b")
        == Outcome([["a"]], pending: "1\0b", error: expected))
    var feed = Feed(framing)
    #expect(feed.read("1\0a12\0..junk..junk") == [["a"]] && feed.error == expected)
    #expect(feed.read("1\0b") == [] && feed.end() == [])
    #expect(failure { _ = try encode(framing, ["."]) } == .unencodable("notWords"))

    var limited = Feed(try LengthPrefixFraming(.decimal, maximumLength: 10).messages(Words()))
    #expect(limited.read("12\0..junk..junk") == [])
    #expect(limited.error == .tooLong(limit: 10, seen: 12, offset: 0))
    #expect(limited.read("1\0b") == [])
  }
}

extension ChunkedFraming<LineFraming> {
  /// Items ended by a space, which are sent in threes.
  fileprivate static func words() throws -> ChunkedFraming<LineFraming> {
    try LineFraming(" ").chunked(3).sendingWholeChunks
  }
}

/// Words with spaces between; a dot in one is junk.
private struct Words: MessageCoder {
  enum Problem: Error { case notWords }

  func decode(_ bytes: [UInt8]) throws -> [String] {
    guard !bytes.contains(UInt8(ascii: ".")) else { throw Problem.notWords }
    return String(decoding: bytes, as: UTF8.self).split(separator: " ").map(String.init)
  }

  func encode(_ words: [String]) throws -> [UInt8] {
    guard !words.contains(".") else { throw Problem.notWords }
    return Array(words.joined(separator: " ").utf8)
  }
}

/// The simplest compression there is: each byte after the number of times that it comes.
private enum RunLengths {
  static func compress(_ bytes: [UInt8]) -> [UInt8] {
    var runs: [(count: UInt8, byte: UInt8)] = []
    for byte in bytes {
      if let last = runs.last, last.byte == byte, last.count < 255 {
        runs[runs.count - 1].count += 1
      } else {
        runs.append((1, byte))
      }
    }
    return runs.flatMap { [$0.count, $0.byte] }
  }

  static func expand(_ bytes: [UInt8]) -> [UInt8] {
    stride(from: 0, to: bytes.count - 1, by: 2).flatMap {
      [UInt8](repeating: bytes[$0 + 1], count: Int(bytes[$0]))
    }
  }
}
