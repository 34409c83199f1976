/// The frames of another framing, each with a checksum at its end; made by
/// ``Framing/checksummed(_:badFrames:)``.
public struct ChecksumFraming<Base: Framing>: Framing
where Base.Decoder.Frame == [UInt8], Base.Encoder.Frame == [UInt8] {
  fileprivate let base: Base
  fileprivate let checksum: Checksum
  fileprivate let badFrames: BadFrames

  /// A decoder that checks, and takes off, the checksum.
  public func makeDecoder() -> FailStopDecoder<Parser> {
    FailStopDecoder(Parser(base: base.makeDecoder(), checksum: checksum, skips: badFrames == .skip))
  }

  /// An encoder that adds the checksum.
  public func makeEncoder() -> Encoder { Encoder(base: base.makeEncoder(), checksum: checksum) }

  /// Checks the frames of another decoder.
  public struct Parser: FrameDecoder {
    /// How many damaged frames have been dropped, if the framing says that they are.
    public private(set) var skippedFrames = 0

    private var base: Base.Decoder
    private let checksum: Checksum
    private let skips: Bool

    fileprivate init(base: Base.Decoder, checksum: Checksum, skips: Bool) {
      self.base = base
      self.checksum = checksum
      self.skips = skips
    }

    /// The next undamaged frame, without its checksum; `nil` if none is whole yet.
    ///
    /// - Throws: What the decoder underneath does, or ``FramingError/malformed(_:offset:)`` with both sums.
    public mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [UInt8]? {
      while true {
        let start = buffer.offset
        guard let frame = try base.decode(&buffer) else { return nil }
        if let content = try check(frame, at: buffer.frameStart(since: start)) { return content }
        buffer.discard(0)
      }
    }

    /// What the decoder underneath makes of the end of the stream, checked as well.
    public mutating func finish(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [UInt8]? {
      while true {
        let start = buffer.offset
        guard let frame = try base.finish(&buffer) else { return nil }
        if let content = try check(frame, at: buffer.frameStart(since: start)) { return content }
        buffer.discard(0)
      }
    }

    /// What the decoder underneath says.
    public func isMidFrame(_ buffer: borrowing ReceiveBuffer) -> Bool { base.isMidFrame(buffer) }

    private mutating func check(_ frame: [UInt8], at offset: UInt64) throws(FramingError) -> [UInt8]? {
      let content = frame.dropLast(checksum.width)
      let trailer = frame[content.endIndex...]
      if trailer.count == checksum.width {
        let computed = checksum(content)
        let received = (checksum.isLittleEndian ? Array(trailer.reversed()) : Array(trailer))
          .reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        if computed == received { return Array(content) }
        if !skips {
          throw .malformed(
            "the frame says that its checksum is 0x\(String(received, radix: 16)), "
              + "and its bytes that it is 0x\(String(computed, radix: 16))", offset: offset)
        }
      } else if !skips {
        throw .malformed(
          "a frame of \(frame.count) bytes has no room for a checksum of \(checksum.width)", offset: offset)
      }
      skippedFrames += 1
      return nil
    }
  }

  /// Adds checksums to the frames of another encoder.
  public struct Encoder: FrameEncoder {
    fileprivate var base: Base.Encoder
    fileprivate let checksum: Checksum

    /// Appends the frame with its checksum. Throws what the encoder underneath does.
    public mutating func encode(_ frame: [UInt8], into output: inout [UInt8]) throws(FramingError) {
      let sum = checksum(frame)
      var frame = frame
      for index in 0..<checksum.width {
        let place = checksum.isLittleEndian ? index : checksum.width - 1 - index
        frame.append(UInt8(truncatingIfNeeded: sum >> (8 * UInt32(place))))
      }
      try base.encode(frame, into: &output)
    }
  }
}

extension Framing where Decoder.Frame == [UInt8], Encoder.Frame == [UInt8] {
  /// The same frames, each sent with a checksum at its end, which is checked and taken off when it is received.
  ///
  /// ```swift
  /// SLIPFraming().checksummed(.crc16X25)
  /// LengthPrefixFraming(.uint16).checksummed(.crc32)  // the length counts the checksum
  /// STXETXFraming().checksummed(.xor8)
  /// ```
  ///
  /// The limit of the framing underneath covers the checksum too.
  ///
  /// - Parameters:
  ///   - checksum: Which sum, over the bytes of the frame before anything is escaped.
  ///   - badFrames: What becomes of a frame whose sum is wrong: by default an error.
  public func checksummed(_ checksum: Checksum, badFrames: BadFrames = .fail) -> ChecksumFraming<Self> {
    ChecksumFraming(base: self, checksum: checksum, badFrames: badFrames)
  }
}
