import Framing
import TestHarness
import Testing

struct Reading: Hashable, Sendable {
  enum Quantity: Character, Sendable { case temperature = "T", humidity = "H" }

  var quantity: Quantity
  var value: Int
}

struct ReadingFraming: Framing {
  func makeDecoder() -> FailStopDecoder<Parser> { FailStopDecoder(Parser()) }
  func makeEncoder() -> Encoder { Encoder() }

  struct Parser: FrameDecoder {
    let longest = 24

    func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> Reading? {
      while !buffer.isEmpty, buffer[0] == UInt8(ascii: " ") { buffer.discard(1) }

      let end = buffer.firstIndex(of: UInt8(ascii: ";"), from: buffer.searched)
      if end ?? buffer.count > longest {
        throw .tooLong(limit: longest, seen: longest + 1, offset: buffer.offset)
      }
      guard let end else {
        buffer.searched = buffer.count
        return nil
      }
      guard let text = buffer.string(count: end),
        let quantity = text.first.flatMap(Reading.Quantity.init(rawValue:)),
        let value = Int(text.dropFirst())
      else {
        throw .malformed("a reading is T or H, and a whole number", offset: buffer.offset)
      }
      buffer.consume(end + 1)
      return Reading(quantity: quantity, value: value)
    }
  }

  struct Encoder: FrameEncoder {
    func encode(_ reading: Reading, into output: inout [UInt8]) throws(FramingError) {
      output.append(contentsOf: "\(reading.quantity.rawValue)\(reading.value);".utf8)
    }
  }
}

@Suite("The codec that the documentation shows")
struct ReadingFramingTests {
  @Test("is right at every split (P19)")
  func verified() throws {
    let zeros = String(repeating: "0", count: 23)
    try verifyCodec(
      ReadingFraming(),
      frames: [Reading(quantity: .temperature, value: -12), Reading(quantity: .humidity, value: 40)],
      streams: [
        .init(
          " T-1; H2;",
          frames: [.init(quantity: .temperature, value: -1), .init(quantity: .humidity, value: 2)]),
        .init("T1;X2;", fails: .malformed("a reading is T or H, and a whole number", offset: 3)),
        .init("T1;H2", fails: .truncated(held: 2, offset: 3)),
      ],
      limit: CodecLimit(24, accepts: "T\(zeros);", refuses: "T\(zeros)0"))
  }
}
