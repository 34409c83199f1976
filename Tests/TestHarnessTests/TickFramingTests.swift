import Framing
import TestHarness
import Testing

enum Tick: Hashable, Sendable {
  case data([UInt8])
  case note(String)
}

struct TickFraming: Framing {
  static let longest = 4_096

  func makeDecoder() -> FailStopDecoder<Parser> { FailStopDecoder(Parser()) }
  func makeEncoder() -> Encoder { Encoder() }

  static func checksum(_ payload: [UInt8]) -> UInt8 { payload.reduce(0, ^) }

  struct Parser: FrameDecoder {
    func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> Tick? {
      guard let place = try payload(in: buffer) else { return nil }
      let end = place.upperBound
      guard buffer.count >= end + 2 else { return nil }

      let payload = buffer.bytes(from: place.lowerBound, count: place.count)
      guard buffer[end] == checksum(payload), buffer[end + 1] == UInt8(ascii: ";") else {
        throw .malformed("a tick ends in its checksum and a semicolon", offset: buffer.offset)
      }
      if buffer[1] == UInt8(ascii: "d") {
        buffer.consume(end + 2)
        return .data(payload)
      }
      guard let text = String(validating: payload, as: UTF8.self) else {
        throw .invalidUTF8(offset: buffer.offset + UInt64(place.lowerBound))
      }
      buffer.consume(end + 2)
      return .note(text)
    }

    /// Where the payload is, or will be; `nil` until a colon has come.
    private func payload(in buffer: borrowing ReceiveBuffer) throws(FramingError) -> Range<Int>? {
      var length = 0
      for index in 0..<buffer.count {
        let byte = buffer[index]
        switch (index, byte) {
        case (0, UInt8(ascii: "#")), (1, UInt8(ascii: "d")), (1, UInt8(ascii: "n")): continue
        case (3..., UInt8(ascii: ":")): return index + 1..<index + 1 + length
        case (2..., 0x30...0x39) where index == 2 || length > 0:
          length = length * 10 + Int(byte - 0x30)
          if length > longest { throw .tooLong(limit: longest, seen: length, offset: buffer.offset) }
        default: throw .malformed("a tick begins like #d0: or #n12:", offset: buffer.offset)
        }
      }
      return nil
    }
  }

  struct Encoder: FrameEncoder {
    func encode(_ tick: Tick, into output: inout [UInt8]) throws(FramingError) {
      let (kind, payload) =
        switch tick {
        case .data(let bytes): ("d", bytes)
        case .note(let text): ("n", Array(text.utf8))
        }
      guard payload.count <= longest else { throw .unencodable("a payload has at most \(longest) bytes") }
      output.append(contentsOf: "#\(kind)\(payload.count):".utf8)
      output.append(contentsOf: payload)
      output.append(contentsOf: [checksum(payload), UInt8(ascii: ";")])
    }
  }
}

extension Framing where Self == TickFraming {
  static var ticks: TickFraming { TickFraming() }
}

@Suite("The codec with a length in front that the documentation shows")
struct TickFramingTests {
  @Test("is right at every split (P19)")
  func verified() throws {
    let badHeader = FramingError.malformed("a tick begins like #d0: or #n12:", offset: 0)
    let payload = String(repeating: "ab", count: 2_048)
    try verifyCodec(
      .ticks,
      frames: [.data([0, 0xFF, 0x3B, 0x23]), .data([]), .note("ça va; #n0:")],
      unencodable: [.data([UInt8](repeating: 0, count: 4_097))],
      streams: [
        .init("#d1:aa;#n2:ab\u{3};", frames: [.data([0x61]), .note("ab")]),
        .init("#d0:\0;#x", fails: .malformed("a tick begins like #d0: or #n12:", offset: 6)),
        .init("#d01:aa;", fails: .malformed("a tick begins like #d0: or #n12:", offset: 0)),
        .init("#d1:ab;", fails: .malformed("a tick ends in its checksum and a semicolon", offset: 0)),
        .init("#d9:a", fails: .truncated(held: 5, offset: 0)),
      ],
      limit: CodecLimit(4_096, accepts: "#d4096:\(payload)\0;", refuses: "#d4097"))
    try verifyCodec(
      .ticks,
      streams: [
        .init("#d:\0;", fails: badHeader),
        .init("#d00:\0;", fails: badHeader),
        .init([0x23, 0x6E, 0x31, 0x3A, 0xFF, 0xFF, 0x3B], fails: .invalidUTF8(offset: 4)),
        .init("#d5000:", fails: .tooLong(limit: 4_096, seen: 5_000, offset: 0)),
      ])
  }

  /// Ticks, but for a bug that shows with long frames alone, or with those that are sent.
  struct BadTicks: Framing {
    var looksAgain = false
    var sendsAnything = false

    func makeDecoder() -> FailStopDecoder<Parser> { FailStopDecoder(Parser(looksAgain: looksAgain)) }
    func makeEncoder() -> Encoder { Encoder(sendsAnything: sendsAnything) }

    struct Parser: FrameDecoder {
      let looksAgain: Bool
      var base = TickFraming.Parser()

      mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> Tick? {
        // As a checksum would be that is begun anew each time.
        if looksAgain { _ = buffer.bytes(count: buffer.count) }
        return try base.decode(&buffer)
      }
    }

    struct Encoder: FrameEncoder {
      let sendsAnything: Bool

      func encode(_ tick: Tick, into output: inout [UInt8]) throws(FramingError) {
        if sendsAnything, case .data(let payload) = tick, payload.count > TickFraming.longest { return }
        try TickFraming.Encoder().encode(tick, into: &output)
      }
    }
  }

  private func verify(_ framing: BadTicks, _ checks: Set<CodecCheck>) throws {
    try verifyCodec(
      framing, frames: [.note("a")], unencodable: [.data([UInt8](repeating: 0, count: 4_097))],
      limit: CodecLimit(
        4_096, accepts: "#d4096:" + String(repeating: "ab", count: 2_048) + "\0;", refuses: "#d4097"),
      checks: checks)
  }

  @Test("a bug that the limit's own streams show, or an encoder without a limit, is found")
  func planted() throws {
    try verify(BadTicks(), [.linearTime, .unencodable])
    #if DEBUG
      let slow = try #require(throws: CodecFailure.self) {
        try verify(BadTicks(looksAgain: true), [.linearTime])
      }
      #expect(slow.check == .linearTime)
    #endif
    let unlimited = try #require(throws: CodecFailure.self) {
      try verify(BadTicks(sendsAnything: true), .all)
    }
    #expect(unlimited.check == .unencodable)
  }
}
