import Framing
import TestHarness

/// Lines of bytes that end in LF, right but for one planted bug, which is named after the only check that sees it.
struct PlantedFraming: Framing {
  var bug: CodecCheck?
  var maximumLength = 110

  func makeDecoder() -> Decoder { Decoder(bug: bug, maximumLength: maximumLength) }
  func makeEncoder() -> Encoder { Encoder(bug: bug, maximumLength: maximumLength) }

  struct Decoder: FrameDecoder {
    /// What a value should keep in itself.
    final class Shared: @unchecked Sendable { var frames = 0 }

    let bug: CodecCheck?
    let maximumLength: Int
    var failure: FramingError?
    let shared = Shared()
    var frames = 0
    /// How often in a row there was no frame, and how many bytes there were then.
    var waits = 0
    var heldBefore = 0
    var waitsInAll = 0
    var wasCutAt57 = false
    var cuts: [Int] = []
    var swallowed: [UInt8] = []
    var hasBegun = false
    var beganElsewhere = false
    var hasEnded = false

    mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [UInt8]? {
      if let failure { throw failure }
      if bug == .endless, !buffer.isEmpty, buffer[0] == UInt8(ascii: "b") { return [] }
      if bug == .afterEnd, hasEnded, buffer.isEmpty { return [] }
      if !hasBegun, !buffer.isEmpty {
        hasBegun = true
        beganElsewhere = buffer.offset > 0
      }
      guard let end = buffer.firstIndex(of: 0x0A, from: bug == .linearTime ? 0 : buffer.searched) else {
        buffer.searched = buffer.count
        return try wait(&buffer)
      }
      try check(swallowed.count + end, buffer)
      let growth = buffer.count - heldBefore
      let frame = swallowed + buffer.takePrefix(end)
      buffer.consume(1)
      swallowed = []
      defer { (waits, heldBefore) = (0, 0) }
      return spoilt(frame, growth: growth)
    }

    private mutating func wait(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [UInt8]? {
      try check(swallowed.count + buffer.count, buffer)
      waits += 1
      waitsInAll += 1
      heldBefore = buffer.count
      cuts.append(buffer.count)
      wasCutAt57 = waitsInAll == 1 && buffer.count == 57
      if bug == .leftovers { swallowed += buffer.takeAll() }
      return nil
    }

    private mutating func spoilt(_ frame: [UInt8], growth: Int) -> [UInt8] {
      frames += 1
      shared.frames += 1
      let isLong = frame == [UInt8](repeating: 0x78, count: 80)
      let isSpoilt =
        switch bug {
        case .expectation: frame == Array("bad".utf8)
        case .twoReads: isLong && wasCutAt57
        case .threeReads: frame == [UInt8](repeating: 0x79, count: 40) && cuts == [21, 33]
        case .byteByByte: isLong && waits > 72
        case .randomReads: isLong && waits == 3 && growth > 1
        case .damage: waits > 0 && frame.contains { $0 > 0x7F }
        case .copies: frames != shared.frames
        case .takeover: beganElsewhere
        default: false
        }
      return isSpoilt ? Array("spoilt".utf8) : frame
    }

    mutating func finish(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [UInt8]? {
      if let frame = try decode(&buffer) { return frame }
      defer { hasEnded = true }
      if bug == .nothing, !hasBegun {
        hasBegun = true
        return []
      }
      if bug == .truncation { return nil }
      let held = swallowed.count + buffer.count
      guard held > 0 else { return nil }
      throw fail(.truncated(held: held, offset: buffer.offset - UInt64(swallowed.count)))
    }

    func isMidFrame(_ buffer: borrowing ReceiveBuffer) -> Bool {
      switch bug {
      case .truncation: false
      case .midFrame: buffer.count > 1
      default: !buffer.isEmpty || !swallowed.isEmpty
      }
    }

    private mutating func check(_ length: Int, _ buffer: borrowing ReceiveBuffer) throws(FramingError) {
      guard length > (bug == .limit ? 2 : 1) * maximumLength else { return }
      if bug == .bounded, buffer[0] == 0x71 { return }
      let offset = buffer.offset - UInt64(swallowed.count)
      throw fail(.tooLong(limit: maximumLength, seen: maximumLength + 1, offset: offset))
    }

    private mutating func fail(_ error: FramingError) -> FramingError {
      if bug != .failure { failure = error }
      return error
    }
  }

  struct Encoder: FrameEncoder {
    let bug: CodecCheck?
    let maximumLength: Int

    func encode(_ frame: [UInt8], into output: inout [UInt8]) throws(FramingError) {
      guard frame.count <= maximumLength || bug == .unencodable else { throw .unencodable("it is too long") }
      if bug == .appending, !output.isEmpty { output.append(0x20) }
      output += bug == .roundTrip ? frame.map { $0 == 0x71 ? 0x70 : $0 } : frame
      output.append(0x0A)
    }
  }
}
