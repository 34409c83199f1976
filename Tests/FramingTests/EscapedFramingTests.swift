import Framing
import TestSupport
import Testing

@Suite("SLIP, COBS and STX/ETX")
struct EscapedFramingTests {
  @Test("SLIP escapes END and ESC, and ignores empty packets")
  func slip() throws {
    let packet: [UInt8] = [1, 0xC0, 2, 0xDB, 3, 0xDC, 0xDD]
    let wire: [UInt8] = [0xC0, 1, 0xDB, 0xDC, 2, 0xDB, 0xDD, 3, 0xDC, 0xDD, 0xC0]
    let framing = SLIPFraming()
    #expect(try encoded(framing, [packet]) == wire)
    #expect(
      decodeEveryWay(framing, [wire, wire, [0xC0, 9, 0xC0]], ended: true) == Outcome([packet, packet, [9]]))
    #expect(decodeEveryWay(framing, [[9, 0xC0, 9]], ended: true).error == .truncated(held: 1, offset: 2))
    #expect(failure { _ = try encoded(framing, [[]]) } == .unencodable("SLIP has no empty packets"))
    let bad = decodeEveryWay(framing, [[9, 0xC0, 1, 0xDB, 0xC0, 1, 0xC0]])
    #expect(bad.frames == [[9]] && bad.pending == [1, 0xDB, 0xC0, 1, 0xC0])
    #expect(bad.error == .malformed("a SLIP escape comes before a byte of value 192", offset: 3))
  }

  @Test("COBS takes zeros out of packets, as its authors and others do it")
  func cobs() throws {
    let full = Array(UInt8(1)...254)
    // Packet and stuffed packet, some of them as Wikipedia has them.
    let cases: [([UInt8], [UInt8])] = [
      ([], [1]), ([0], [1, 1]), ([0, 0], [1, 1, 1]), ([0, 0x11, 0], [1, 2, 0x11, 1]),
      ([0x11, 0x22, 0, 0x33], [3, 0x11, 0x22, 2, 0x33]),
      ([0x11, 0x22, 0x33, 0x44], [5, 0x11, 0x22, 0x33, 0x44]),
      ([0x11, 0, 0, 0], [2, 0x11, 1, 1, 1]), (full, [0xFF] + full), ([0] + full, [1, 0xFF] + full),
      (full + [0xFF], [0xFF] + full + [2, 0xFF]), (full + [0], [0xFF] + full + [1, 1]),
      (full.dropFirst() + [0xFF, 0, 1], [0xFF] + full.dropFirst() + [0xFF, 1, 2, 1]),
    ]
    for (packet, stuffed) in cases {
      #expect(try encoded(COBSFraming(), [packet]) == stuffed + [0])
      #expect(decodeEveryWay(COBSFraming(), [[0, 0] + stuffed + [0, 0]], ended: true) == Outcome([packet]))
    }
    // A full last block with an empty one after it is another way to write the same.
    #expect(Outcome(of: COBSFraming(), reads: [[0xFF] + full + [1, 0]], ended: true) == Outcome([full]))
    let bad = decodeEveryWay(COBSFraming(), [[2, 7, 0, 2, 7, 3, 9, 0, 2, 8, 0]])
    #expect(bad.frames == [[7]])
    #expect(
      bad.error == .malformed("a COBS block of 3 bytes goes beyond the end of its packet", offset: 5))
    #expect(decodeEveryWay(COBSFraming(), [[2, 7]], ended: true).error == .truncated(held: 2, offset: 0))
  }

  @Test("STX and ETX inside a frame are escaped, as they are or masked")
  func stxETX() throws {
    let frame: [UInt8] = [2, 3, 0x10, 4]
    let literal: [UInt8] = [2, 0x10, 2, 0x10, 3, 0x10, 0x10, 4, 3]
    #expect(try encoded(STXETXFraming(), [frame, []]) == literal + [2, 3])
    try checkBlocks(STXETXFraming(), [frame, [], [9]])
    let masked = try STXETXFraming(mask: 0x20)
    #expect(try encoded(masked, [frame]) == [2, 0x10, 0x22, 0x10, 0x23, 0x10, 0x30, 4, 3])
    try checkBlocks(masked, [frame, [], [0x22, 0x23, 0x30]])
    try checkBlocks(
      STXETXFraming(start: 0x7E, end: 0x7F, escape: 0x7D, mask: 0x20), [[0x7D, 0x7E, 0x7F, 0x5D]])
  }

  @Test("what is not between a start and an end is an error with its place")
  func strictSTXETX() throws {
    let cases: [([UInt8], [[UInt8]], FramingError)] = [
      ([7], [], .malformed("a frame begins with a byte of value 7 instead of 2", offset: 0)),
      ([2, 9, 3, 3], [[9]], .malformed("a frame begins with a byte of value 3 instead of 2", offset: 3)),
      ([2, 9, 2, 9, 3], [], .malformed("a byte of value 2 inside a frame", offset: 2)),
    ]
    for (stream, frames, error) in cases {
      let outcome = decodeEveryWay(STXETXFraming(), [stream])
      #expect(outcome.frames == frames && outcome.error == error)
    }
    let masked = try STXETXFraming(mask: 0x20)
    #expect(
      decodeEveryWay(masked, [[2, 9, 0x10, 3]]).error
        == .malformed("a byte of value 3 inside a frame", offset: 3))
  }

  @Test("control bytes that can't be told apart are refused")
  func badControlBytes() {
    #expect(failure { _ = try STXETXFraming(start: 3) } != nil)
    #expect(failure { _ = try STXETXFraming(escape: 2) } != nil)
    #expect(failure { _ = try STXETXFraming(mask: 1) } != nil)
    for length in [0, Int.min] {
      #expect(failure { _ = try STXETXFraming(maximumLength: length) } != nil)
      #expect(failure { _ = try SLIPFraming(maximumLength: length) } != nil)
      #expect(failure { _ = try COBSFraming(maximumLength: length) } != nil)
    }
  }

  @Test("the limit counts content, not escapes, and holds before the end of a frame is there")
  func limits() throws {
    let tooLong = FramingError.tooLong(limit: 3, seen: 4, offset: 0)
    let slip = try SLIPFraming(maximumLength: 3)
    try checkLimit(slip, [0xC0, 0xDB, 0xC0], unfinished: [1, 1, 1, 1], tooLong)
    try checkLimit(slip, [0xC0, 0xDB, 0xC0], unfinished: [0xDB, 0xDC, 1, 0xDB, 0xDC, 1], tooLong)
    let stx = try STXETXFraming(maximumLength: 3)
    try checkLimit(stx, [2, 3, 0x10], unfinished: [2, 0x10, 2, 1, 1, 1], tooLong)
    let cobs = try COBSFraming(maximumLength: 3)
    try checkLimit(cobs, [0, 1, 0], unfinished: [1, 1, 1, 1, 1], tooLong)
    #expect(decodeEveryWay(cobs, [[5, 1, 1, 1, 1, 0]]).error == tooLong)
    #expect(
      decodeEveryWay(try COBSFraming(maximumLength: .max), [[2, 1, 0]]) == Outcome([[1]]))
  }

  private func checkLimit<F: Framing>(
    _ framing: F, _ longest: [UInt8], unfinished: [UInt8], _ error: FramingError
  ) throws where F.Decoder.Frame == [UInt8], F.Encoder.Frame == [UInt8] {
    #expect(decodeEveryWay(framing, [try encoded(framing, [longest])], ended: true) == Outcome([longest]))
    #expect(failure { _ = try encoded(framing, [longest + [1]]) } != nil)
    #expect(decodeEveryWay(framing, [unfinished]).error == error)
    #expect(decodeEveryWay(framing, [unfinished.dropLast()]).error == nil)
  }

  @Test("asked to skip, a decoder drops bad frames, counts them, and goes on with the next good one")
  func skipping() throws {
    let slip = try SLIPFraming(maximumLength: 3, badFrames: .skip)
    try check(
      slip, [[9, 0xC0], [1, 0xDB, 7, 0xC0], [8, 0xC0], [1, 2, 3, 4, 5, 6, 0xC0], [7, 0xC0]],
      frames: [[9], [8], [7]], skipped: 2, \.base.skippedFrames)
    let cobs = try COBSFraming(maximumLength: 3, badFrames: .skip)
    try check(
      cobs, [[2, 9, 0], [3, 9, 0], [5, 1, 2, 3, 4, 0], [9, 9, 9, 9, 9, 9, 9, 9, 0], [2, 7, 0]],
      frames: [[9], [7]], skipped: 3, \.base.skippedFrames)
    let stx = try STXETXFraming(maximumLength: 3, badFrames: .skip)
    try check(
      stx, [[7, 7], [2, 9, 3], [3, 5], [2, 1], [2, 8, 3], [2, 1, 1, 1, 1, 1, 3], [2, 0x10, 3, 3]],
      frames: [[9], [8], [3]], skipped: 4, \.base.skippedFrames)
    let masked = try STXETXFraming(mask: 0x20, badFrames: .skip)
    try check(
      masked, [[2, 1, 0x10, 3], [2, 9, 3], [2, 0x10, 2, 8, 3]], frames: [[9], [8]], skipped: 2,
      \.base.skippedFrames)
  }

  private func check<F: Framing>(
    _ framing: F, _ reads: [[UInt8]], frames: [[UInt8]], skipped: Int, _ count: KeyPath<F.Decoder, Int>,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws where F.Decoder.Frame == [UInt8] {
    #expect(
      decodeEveryWay(framing, reads, ended: true, sourceLocation: sourceLocation) == Outcome(frames),
      sourceLocation: sourceLocation)
    for reads in [reads, reads.joined().map { [$0] }, [Array(reads.joined())]] {
      var feed = Feed(framing)
      for read in reads { _ = feed.read(read) }
      #expect(feed.decoder[keyPath: count] == skipped, sourceLocation: sourceLocation)
    }
  }

  @Test("a peer that never ends a frame is held to the limit though its frames are skipped")
  func boundedSkipping() throws {
    var slip = Feed(try SLIPFraming(maximumLength: 10, badFrames: .skip))
    var cobs = Feed(try COBSFraming(maximumLength: 10, badFrames: .skip))
    var stx = Feed(try STXETXFraming(maximumLength: 10, badFrames: .skip))
    #expect(stx.read([2]) == [])
    for _ in 0..<1_000 {
      #expect(slip.read([7]) == [] && cobs.read([7]) == [] && stx.read([7]) == [])
      #expect(slip.buffer.count <= 11 && cobs.buffer.count <= 12 && stx.buffer.count <= 12)
    }
    #expect(slip.read([0xC0, 9, 0xC0]) == [[9]])
    #expect(cobs.read([0, 2, 9, 0]) == [[9]])
    #expect(stx.read([3, 2, 9, 3]) == [[9]])
  }

  @Test(
    "any bytes, cut anyhow, come to the same, and any frames survive (P19, P20)", arguments: 0..<2 as Range)
  func anyBytes(seed: UInt64) throws {
    for policy in [BadFrames.fail, .skip] {
      try exercise(SLIPFraming(maximumLength: 6, badFrames: policy), [0xC0, 0xDB, 0xDC, 0xDD, 1], seed)
      try exercise(COBSFraming(maximumLength: 6, badFrames: policy), [0, 0, 1, 2, 3, 9], seed)
      try exercise(STXETXFraming(maximumLength: 6, badFrames: policy), [2, 2, 3, 3, 0x10, 9], seed)
      try exercise(
        STXETXFraming(mask: 0x20, maximumLength: 6, badFrames: policy), [2, 3, 0x10, 0x22, 0x23], seed)
      try exercise(
        SLIPFraming().checksummed(.sum8, badFrames: policy), [0xC0, 0xC0, 0xDB, 0xDC, 1, 1], seed)
    }
  }

  private func exercise<F: Framing>(
    _ framing: F, _ alphabet: [UInt8], _ seed: UInt64
  ) throws where F.Decoder.Frame == [UInt8], F.Encoder.Frame == [UInt8] {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<12 {
      let stream = random.bytes(.random(in: 0...16, using: &random), from: alphabet)
      for ended in [true, false] { _ = decodeEveryWay(framing, [stream], ended: ended) }
      let frames = (0..<4).map { _ in random.bytes(.random(in: 1...5, using: &random), from: alphabet) }
      let sent = try encoded(framing, frames)
      #expect(Outcome(of: framing, reads: random.split(sent), ended: true) == Outcome(frames))
    }
  }

  @Test("a frame that comes byte by byte is looked at once (P21)")
  func linear() throws {
    func looked<F: Framing>(_ framing: F, _ first: [UInt8]) -> Int where F.Decoder.Frame == [UInt8] {
      var feed = Feed(framing)
      _ = feed.read(first)
      var looked = 0
      for _ in 0..<4_000 {
        looked += feed.buffer.count + 1 - feed.buffer.searched
        #expect(feed.read([9]) == [])
      }
      return looked
    }
    #expect(looked(SLIPFraming(), []) == 4_000)
    #expect(looked(COBSFraming(), []) == 4_000)
    #expect(looked(STXETXFraming(), [2]) == 4_000)
    #expect(looked(LengthPrefixFraming(.uint16), [0xFF, 0xFF]) == 4_000)
    #expect(looked(NetstringFraming(), Array("5000:".utf8)) == 4_000)
    #expect(looked(try FixedLengthFraming(5_000), []) <= 4_000)
  }
}
