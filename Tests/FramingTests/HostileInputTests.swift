import Framing
import Testing

@Suite("What a peer or a program may try")
struct HostileInputTests {
  @Test(
    "escapes alone, which make no content, are held to the limit too (P23)",
    arguments: [BadFrames.fail, .skip])
  func endlessEscapes(badFrames: BadFrames) throws {
    var slip = Feed(try SLIPFraming(maximumLength: 10, badFrames: badFrames))
    var frames: [[UInt8]] = []
    var mostHeld = 0
    for _ in 0..<1_000 where slip.error == nil {
      frames += slip.read([0xDB])
      mostHeld = max(mostHeld, slip.buffer.count)
    }
    #expect(frames == [] && mostHeld <= 22)
    #expect(slip.error == (badFrames == .fail ? .tooLong(limit: 10, seen: 11, offset: 0) : nil))
    if badFrames == .skip { #expect(slip.read([0xC0, 9, 0xC0]) == [[9]]) }
  }

  @Test("an escape of an escape is an error with its place, wherever reads are cut")
  func doubleEscapes() throws {
    let framing = try SLIPFraming(maximumLength: 3)
    for stream: [UInt8] in [[0xDB, 0xDB, 0xC0], [0xDB, 0xDB, 0xDC, 0xC0], [0xDB, 0xDB, 0xDB, 0xDC, 0xC0]] {
      #expect(
        decodeEveryWay(framing, [[1], stream])
          == Outcome(
            [], error: .malformed("a SLIP escape comes before a byte of value 219", offset: 1)
          ).with([1] + stream))
    }
  }

  @Test("what is left out between the frames of a group counts, since the buffer holds it (P23)")
  func endlessGroup() throws {
    let groups = try LineFraming().filter { !$0.hasPrefix("#") }.chunked(2, maximumLength: 20)
    let tooLong = FramingError.tooLong(limit: 20, seen: 21, offset: 4)
    for end in ["#\n", "two\n", "two\nx", ""] {
      let outcome = decodeEveryWay(groups, "#\n#\none\n" + String(repeating: "#\n", count: 8) + end)
      #expect(outcome.error == (end.isEmpty ? nil : tooLong))
    }
    #expect(
      decodeEveryWay(groups, "#\none\n#\n#\n#\n#\n#\n#\ntwo\nx", ended: true)
        == Outcome([["one", "two"], ["x"]]))

    var packets = Feed(try SLIPFraming().chunked(2, maximumLength: 100))
    #expect(packets.read([UInt8](repeating: 0xC0, count: 1_000) + [7, 0xC0]) == [])
    var reads = 0
    while packets.error == nil, reads < 1_000 {
      #expect(packets.read([0xC0]) == [])
      reads += 1
    }
    #expect(reads < 110)
    #expect(packets.error == .tooLong(limit: 100, seen: 101, offset: 1_000))
    #expect(
      failure { _ = try LineFraming().chunked(2, maximumLength: 0) }
        == .invalidConfiguration("groups of at most 0 bytes hold no frame; allow at least 1 byte"))
  }

  @Test(
    "a group whose frame is refused for its length is too long itself only if it is that without the frame")
  func groupWithBadFrame() throws {
    let groups = try LineFraming(maximumLength: 3).chunked(3, maximumLength: 6)
    #expect(decodeEveryWay(groups, "a\nb\nlong\n").error == .tooLong(limit: 3, seen: 4, offset: 4))
    #expect(decodeEveryWay(groups, "abc\ndef\nlong\n").error == .tooLong(limit: 6, seen: 7, offset: 0))
  }

  @Test("a run that would be held for ever is refused, and so is a length that can't be")
  func impossible() throws {
    for terminator in [LineTerminator.run(of: "\n", atLeast: .max), .run(of: "\n", atLeast: 65_537)] {
      for make in [{ try LineFraming(terminator) }, { try LineFraming(sends: terminator) }] {
        #expect(failure { _ = try make() }?.description.contains("make it at most 65536") == true)
      }
    }
    #expect(try encoded(LineFraming(.run(of: "\n", atLeast: 65_536)), [""]).count == 65_536)

    let problem = FramingError.invalidConfiguration(
      "a length of 8 bits is at most 255, so that it can't count 256 bytes besides the content; adjust it by less, "
        + "or make it wider")
    let field = IntegerField.uint8.adjusted(by: -256)
    #expect(failure { _ = try LengthPrefixFraming(field, maximumLength: 9) } == problem)
    #expect(failure { _ = try HeaderFraming(length: 4, field: field, at: 0) } == problem)
    #expect(failure { _ = try TLVFraming(type: .uint8, length: field, maximumLength: 9) } == problem)
    #expect(failure { _ = try LengthPrefixFraming(.uint8.adjusted(by: -255), maximumLength: 9) } == nil)
    #expect(failure { _ = try LengthPrefixFraming(.uint64.adjusted(by: .min), maximumLength: 9) } == nil)
  }

  @Test("a negative length is not written", arguments: [-1, .min])
  func negative(length: Int) {
    var output: [UInt8] = []
    for prefix in [.varint, .decimal, .uint32, .uint64] as [any LengthPrefix] {
      #expect(failure { try prefix.write(length, into: &output) } != nil)
    }
    #expect(output == [])
  }

  struct Liar: LengthPrefix {
    var claim: PrefixedLength
    func read(_ buffer: borrowing ReceiveBuffer) throws(FramingError) -> PrefixedLength? { claim }
    func write(_ length: Int, into output: inout [UInt8]) throws(FramingError) {}
  }

  @Test("a prefix of one's own that claims what can't be is an error, not a trap")
  func lyingPrefix() {
    for claim in [0, -1, .min] {
      let framing = LengthPrefixFraming(Liar(claim: PrefixedLength(prefix: claim, content: 0)))
      #expect(
        Outcome(of: framing, reads: [[1, 2, 3]], ended: true)
          == Outcome(
            [],
            error: .malformed(
              "the length prefix claims to take \(claim) bytes; it must take at least 1", offset: 0)
          ).with([1, 2, 3]))
    }
    let later = LengthPrefixFraming(Liar(claim: PrefixedLength(prefix: .max, content: 1)))
    #expect(Outcome(of: later, reads: [[1, 2, 3]], ended: true).error == .truncated(held: 3, offset: 0))
  }

  @Test(
    "without any limit, what a peer announces neither traps nor reserves memory",
    arguments: [UInt8(0x7F), 0xFF])
  func withoutLimits(byte: UInt8) throws {
    let most = [UInt8](repeating: byte, count: 40)
    let integers: [IntegerField] = [
      .uint64, .uint64.littleEndian, .uint64.adjusted(by: .max), .uint64.adjusted(by: .min),
      .uint64.countingItself,
      .uint32.adjusted(by: .max), .uint8,
    ]
    for field in integers {
      _ = decodeEveryWay(
        try LengthPrefixFraming(field, maximumLength: .max, maximumEmptyRun: .max), [most], ended: true)
      _ = decodeEveryWay(try TLVFraming(type: field, length: field, maximumLength: .max), [most], ended: true)
      _ = decodeEveryWay(
        try HeaderFraming(length: 9, field: field, at: 1, maximumLength: .max), [most], ended: true)
    }
    _ = decodeEveryWay(try LengthPrefixFraming(.varint, maximumLength: .max), [most], ended: true)
    let digits = Array(String(repeating: "9", count: 20).utf8)
    for count in [18, 19, 20] {
      let length = Array(digits.prefix(count))
      _ = decodeEveryWay(
        try LengthPrefixFraming(.decimal, maximumLength: .max), [length + [0, 1]], ended: true)
      _ = decodeEveryWay(try NetstringFraming(maximumLength: .max), [length + [0x3A, 1]], ended: true)
    }
    _ = decodeEveryWay(try SLIPFraming(maximumLength: .max), [most, [0xC0]], ended: true)
    _ = decodeEveryWay(try COBSFraming(maximumLength: .max), [most, [0]], ended: true)
    _ = decodeEveryWay(try STXETXFraming(maximumLength: .max), [[2], most, [3]], ended: true)
    _ = decodeEveryWay(try FixedLengthFraming(.max), [most], ended: true)
    _ = decodeEveryWay(
      try LineFraming(maximumLength: .max).bytes.chunked(.max, maximumLength: .max), [most], ended: true)
  }

  @Test("a bad frame that the stream ends in is counted like any other, whatever it ends with")
  func skippedAtTheEnd() throws {
    func check<F: Framing>(_ framing: F, _ stream: [UInt8], _ count: KeyPath<F.Decoder, Int>)
    where F.Decoder.Frame: Equatable {
      for reads in [[stream], stream.map { [$0] }] {
        var feed = Feed(framing)
        for read in reads { #expect(feed.read(read) == []) }
        #expect(feed.end() == [] && feed.error == nil)
        #expect(feed.decoder[keyPath: count] == 1)
      }
    }
    for end in ["", "\r"] {
      let line = Array("long\(end)".utf8)
      check(try LineFraming(maximumLength: 3, badFrames: .skip), line, \.skippedFrames)
      check(try LineFraming("\r\n", maximumLength: 3, badFrames: .skip).bytes, line, \.skippedFrames)
    }
    check(try SLIPFraming(maximumLength: 3, badFrames: .skip), [1, 2, 3, 4, 5], \.base.skippedFrames)
    check(try COBSFraming(maximumLength: 3, badFrames: .skip), [9, 1, 2, 3, 4, 5], \.base.skippedFrames)
    check(try STXETXFraming(maximumLength: 3, badFrames: .skip), [2, 4, 5, 6, 7], \.base.skippedFrames)
  }

  @Test("a decoder that is used after the end has nothing more to say, and takes what comes all the same")
  func afterTheEnd() {
    func check<F: Framing>(_ framing: F, _ stream: [UInt8], _ frame: F.Decoder.Frame)
    where F.Decoder.Frame: Equatable {
      var feed = Feed(framing)
      for _ in 0..<2 { #expect(feed.end() == []) }
      #expect(feed.read(stream) == [frame])
      for _ in 0..<2 { #expect(feed.end() == []) }
      #expect(feed.read(stream) == [frame])
      #expect(feed.error == nil && feed.buffer.isEmpty)
    }
    check(.lines, Array("a\r\n".utf8), "a")
    check(LineFraming.keepingTerminatorOfAnything, Array("a\r\n".utf8), "a\r\n")
    check(.netstring, Array("1:a,".utf8), [97])
    check(.slip, [97, 0xC0], [97])
    check(.cobs, [2, 97, 0], [97])
    check(.stxETX, [2, 97, 3], [97])
    check(.raw, [97], [97])
    check(LengthPrefixFraming(.varint).then(.lines), [2, 97, 10], "a")
  }

  @Test("the oldest of many requests that were cancelled is found at once", .timeLimit(.minutes(1)))
  func manyCancelled() throws {
    var correlator = try Correlator.inOrder(atMost: 100_000)
    let tokens = try (0..<50_000).map { _ in try correlator.request() }
    for (token, next) in zip(tokens, tokens.dropFirst()) {
      correlator.cancel(token)
      #expect(correlator.oldestWaiting == next)
    }
    let last = try correlator.request()
    correlator.withdraw(tokens[49_999])
    #expect(correlator.oldestWaiting == last)
  }
}

extension LineFraming {
  fileprivate static var keepingTerminatorOfAnything: LineFraming { anyNewline.keepingTerminator }
}
