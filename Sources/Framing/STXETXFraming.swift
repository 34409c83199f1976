/// Frames between a start and an end byte, with an escape before such bytes inside them.
///
/// The bytes are by default those of ISO 1745: STX (0x02), ETX (0x03), and DLE (0x10) before each of the three
/// where it is content.
///
/// ```swift
/// STXETXFraming().checksummed(.xor8)                          // the checksum is inside, escaped like the rest
/// try STXETXFraming(start: 0x7E, end: 0x7F, escape: 0x7D, mask: 0x20)
/// ```
///
/// Nothing may stand between frames, and no unescaped start inside one. Frames have at most 1,048,576 bytes unless
/// told otherwise, may be empty, and a stream that ends inside one is ``FramingError/truncated(held:offset:)``.
public struct STXETXFraming: Framing {
  let bytes: ControlBytes
  private let limit: FrameLimit
  private let badFrames: BadFrames

  /// STX, ETX and DLE; frames of at most 1,048,576 bytes; a bad one is an error.
  public init() {
    bytes = ControlBytes(start: 0x02, end: 0x03, escape: 0x10, mask: 0)
    limit = FrameLimit()
    badFrames = .fail
  }

  /// Frames with bytes or a limit of one's own.
  ///
  /// - Parameters:
  ///   - start: What begins a frame; by default STX.
  ///   - end: What ends it; by default ETX.
  ///   - escape: What stands before a byte of the frame that is one of the three; by default DLE.
  ///   - mask: What such a byte is combined with by exclusive or, so that an unescaped start or end can never be
  ///     content; by default 0, which leaves the byte as it is.
  ///   - maximumLength: The longest frame in bytes, as it was before it was escaped; at least 1, by default
  ///     1,048,576.
  ///   - badFrames: What becomes of a frame that is too long, or begins again before it ends, and of bytes between
  ///     frames: by default an error. Otherwise what comes before the next start is dropped.
  /// - Throws: ``FramingError/invalidConfiguration(_:)`` for bytes that can't be told apart, and for a limit
  ///   below 1.
  public init(
    start: UInt8 = 0x02, end: UInt8 = 0x03, escape: UInt8 = 0x10, mask: UInt8 = 0,
    maximumLength: Int = 1_048_576, badFrames: BadFrames = .fail
  ) throws(FramingError) {
    let bytes = ControlBytes(start: start, end: end, escape: escape, mask: mask)
    let control = [start, end, escape]
    guard Set(control).count == 3 else {
      throw .invalidConfiguration(
        "start \(start), end \(end) and escape \(escape) must be three different bytes")
    }
    guard mask == 0 || !control.contains(where: { control.contains($0 ^ mask) }) else {
      throw .invalidConfiguration(
        "mask \(mask) makes one of the bytes \(control) another one of them; choose another mask")
    }
    self.bytes = bytes
    limit = try FrameLimit(maximumLength)
    self.badFrames = badFrames
  }

  /// A decoder for the start of a frame.
  public func makeDecoder() -> FailStopDecoder<Parser> {
    FailStopDecoder(Parser(bytes: bytes, limit: limit.bytes, skips: badFrames == .skip))
  }

  /// An encoder of frames.
  public func makeEncoder() -> Encoder { Encoder(bytes: bytes, limit: limit) }

  struct ControlBytes: Sendable {
    var start: UInt8
    var end: UInt8
    var escape: UInt8
    var mask: UInt8

    func contains(_ byte: UInt8) -> Bool { byte == start || byte == end || byte == escape }
  }

  /// Writes frames.
  public struct Encoder: FrameEncoder {
    fileprivate let bytes: ControlBytes
    fileprivate let limit: FrameLimit

    /// Appends a frame, which may be empty.
    ///
    /// - Throws: ``FramingError/unencodable(_:)`` for a frame above the limit.
    public func encode(_ frame: [UInt8], into output: inout [UInt8]) throws(FramingError) {
      try limit.check(outgoing: frame.count)
      output.append(bytes.start)
      for byte in frame {
        if bytes.contains(byte) {
          output.append(bytes.escape)
          output.append(byte ^ bytes.mask)
        } else {
          output.append(byte)
        }
      }
      output.append(bytes.end)
    }
  }
}

extension Framing where Self == STXETXFraming {
  /// Frames between STX and ETX; see ``STXETXFraming``.
  public static var stxETX: STXETXFraming { STXETXFraming() }
}
