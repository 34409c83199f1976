import Framing
import Testing

@Suite("Checksums")
struct ChecksumTests {
  private static let all: [(Checksum, UInt32)] = [
    (.xor8, 0x31), (.sum8, 0xDD), (.crc16ARC, 0xBB3D), (.crc16Modbus, 0x4B37), (.crc16XMODEM, 0x31C3),
    (.crc16IBM3740, 0x29B1), (.crc16X25, 0x906E), (.crc32, 0xCBF4_3926), (.crc32C, 0xE306_9283),
  ]

  @Test("each sum has its published check value")
  func checkValues() {
    for (checksum, value) in Self.all { #expect(checksum("123456789".utf8) == value) }
  }

  @Test("a sum goes out in the order of its polynomial, or in another")
  func byteOrder() throws {
    let frame = Array("123456789".utf8)
    let raw = RawFraming()
    #expect(try encoded(raw.checksummed(.crc16XMODEM), [frame]) == frame + [0x31, 0xC3])
    #expect(try encoded(raw.checksummed(.crc16XMODEM.littleEndian), [frame]) == frame + [0xC3, 0x31])
    #expect(try encoded(raw.checksummed(.crc32), [frame]) == frame + [0x26, 0x39, 0xF4, 0xCB])
    #expect(try encoded(raw.checksummed(.crc32.bigEndian), [frame]) == frame + [0xCB, 0xF4, 0x39, 0x26])
    #expect(try encoded(raw.checksummed(.xor8), [frame]) == frame + [0x31])
  }

  @Test("frames with any sum survive, whatever they are framed with")
  func roundTrip() throws {
    let frames: [[UInt8]] = [[1], [0xC0, 0xDB], [2, 3, 0x10], Array("123456789".utf8)]
    for (checksum, _) in Self.all {
      for checksum in [checksum, checksum.littleEndian, checksum.bigEndian] {
        try checkBlocks(LengthPrefixFraming(.uint16).checksummed(checksum), frames + [[]])
        try checkBlocks(STXETXFraming().checksummed(checksum), frames + [[]])
        #expect(
          decodeEveryWay(
            SLIPFraming().checksummed(checksum), [try encoded(SLIPFraming().checksummed(checksum), frames)],
            ended: true) == Outcome(frames))
      }
    }
  }

  @Test("one bit that changed is an error with both sums and the place of the frame")
  func damage() throws {
    let framing = LengthPrefixFraming(.uint8).checksummed(.crc16XMODEM)
    let good = try encoded(framing, [Array("123456789".utf8)])
    for bit in 8..<(good.count * 8) {
      var bad = good
      bad[bit / 8] ^= 1 << (bit % 8)
      let outcome = Outcome(of: framing, reads: [good + bad + good], ended: true)
      #expect(outcome.frames.count == 1)
      guard case .malformed(_, offset: 12) = outcome.error else {
        Issue.record("\(String(describing: outcome.error))")
        continue
      }
    }
    #expect(
      decodeEveryWay(LengthPrefixFraming(.uint8).checksummed(.xor8), [[2, 7, 8]]).error
        == .malformed("the frame says that its checksum is 0x8, and its bytes that it is 0x7", offset: 0))
    #expect(
      decodeEveryWay(LengthPrefixFraming(.uint8).checksummed(.crc32), [[2, 7, 8]]).error
        == .malformed("a frame of 2 bytes has no room for a checksum of 4", offset: 0))
  }

  @Test("asked to skip, a decoder drops damaged frames, and frames without room for a sum")
  func skipping() {
    let framing = SLIPFraming().checksummed(.xor8, badFrames: .skip)
    let stream: [UInt8] = [7, 7, 0xC0, 7, 8, 0xC0, 0xC0, 9, 9, 0xC0]
    #expect(decodeEveryWay(framing, [stream], ended: true) == Outcome([[7], [9]]))
    var feed = Feed(framing)
    _ = feed.read(stream)
    #expect(feed.decoder.base.skippedFrames == 1)
  }

  @Test("the place of a bad frame is the same though what comes before it was dropped earlier")
  func placeAfterFiller() {
    let framing = SLIPFraming().checksummed(.xor8)
    #expect(
      decodeEveryWay(framing, [[0xC0, 0xC0, 7, 7, 0xC0, 0xC0, 0xC0, 7, 8, 0xC0]]).error
        == .malformed("the frame says that its checksum is 0x8, and its bytes that it is 0x7", offset: 7))
  }
}
