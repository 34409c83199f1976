/// Packets between END bytes (RFC 1055): 0xC0 ends a packet, and 0xDB 0xDC and 0xDB 0xDD stand for the bytes 0xC0
/// and 0xDB inside it.
///
/// An END is sent before each packet too, as the RFC advises, so that what a line made of noise is a packet of
/// its own. Empty packets are therefore nothing: none is delivered, and none can be sent. Packets have at most
/// 1,048,576 bytes unless told otherwise, and a stream that ends inside one is
/// ``FramingError/truncated(held:offset:)``.
public struct SLIPFraming: Framing {
  private let limit: FrameLimit
  private let badFrames: BadFrames

  /// Packets of at most 1,048,576 bytes; a bad one is an error.
  public init() {
    limit = FrameLimit()
    badFrames = .fail
  }

  /// Packets with a limit of one's own.
  ///
  /// - Parameters:
  ///   - maximumLength: The longest packet in bytes, as it was before it was escaped; at least 1, by default
  ///     1,048,576.
  ///   - badFrames: What becomes of a packet that is too long or wrongly escaped: by default an error.
  /// - Throws: ``FramingError/invalidConfiguration(_:)`` for a limit below 1.
  public init(maximumLength: Int = 1_048_576, badFrames: BadFrames = .fail) throws(FramingError) {
    limit = try FrameLimit(maximumLength)
    self.badFrames = badFrames
  }

  /// A decoder for the start of a packet.
  public func makeDecoder() -> FailStopDecoder<Parser> {
    FailStopDecoder(Parser(limit: limit, badFrames: badFrames))
  }

  /// An encoder of packets.
  public func makeEncoder() -> Encoder { Encoder(limit: limit) }

  private static let end: UInt8 = 0xC0
  private static let escape: UInt8 = 0xDB
  private static let escapedEnd: UInt8 = 0xDC
  private static let escapedEscape: UInt8 = 0xDD

  /// Takes packets from a buffer.
  public struct Parser: FrameDecoder {
    /// How many bad packets have been dropped, if the framing says that they are.
    public private(set) var skippedFrames = 0

    private let limit: Int
    private let skips: Bool
    /// How many escapes are among the bytes that have been searched, those that are escaped themselves not counted.
    private var escapes = 0
    /// Whether the last byte searched is such an escape.
    private var isEscaped = false
    /// Whether bytes of a packet that is too long have been dropped, and its end has not come.
    private var isSkipping = false

    fileprivate init(limit: FrameLimit, badFrames: BadFrames) {
      self.limit = limit.bytes
      skips = badFrames == .skip
    }

    /// The next packet; `nil` if none has ended yet.
    ///
    /// - Throws: ``FramingError/tooLong(limit:seen:offset:)``, or ``FramingError/malformed(_:offset:)`` for an
    ///   escape before any other byte than the two.
    public mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [UInt8]? {
      while true {
        let packetEnd = findEnd(in: &buffer)
        let size = (packetEnd ?? buffer.count) - escapes
        if size > limit {
          guard skips else { throw .tooLong(limit: limit, seen: limit + 1, offset: buffer.offset) }
          // At once, since its end need never come.
          if !isSkipping { skippedFrames += 1 }
          isSkipping = true
        }
        guard let packetEnd else {
          if isSkipping { buffer.discard(buffer.count) }
          return nil
        }
        if isSkipping || packetEnd == 0 {
          isSkipping = false
          buffer.discard(packetEnd + 1)
          continue
        }
        do throws(FramingError) {
          let packet = try unescape(buffer, packetEnd)
          buffer.consume(packetEnd + 1)
          return packet
        } catch {
          guard skips else { throw error }
          skippedFrames += 1
          buffer.discard(packetEnd + 1)
        }
      }
    }

    private mutating func findEnd(in buffer: inout ReceiveBuffer) -> Int? {
      if buffer.searched == 0 {
        escapes = 0
        isEscaped = false
      }
      var index = buffer.searched
      while let hit = buffer.firstIndex(of: end, or: escape, from: index) {
        // An END ends the packet wherever it stands. An escape after another is wrong, and counts as content: escapes
        // alone, which make none, would come without end.
        if buffer[hit] == end { return hit }
        let isSecond = hit == index && isEscaped
        if !isSecond { escapes += 1 }
        isEscaped = !isSecond
        index = hit + 1
      }
      if index < buffer.count { isEscaped = false }
      buffer.searched = buffer.count
      return nil
    }

    private func unescape(_ buffer: borrowing ReceiveBuffer, _ count: Int) throws(FramingError) -> [UInt8] {
      var packet: [UInt8] = []
      packet.reserveCapacity(count - escapes)
      var index = 0
      for _ in 0..<escapes {
        guard let hit = buffer.firstIndex(of: escape, from: index), hit < count else { break }
        buffer.copy(index..<hit, to: &packet)
        // At the end of the packet this is the END.
        switch buffer[hit + 1] {
        case escapedEnd: packet.append(end)
        case escapedEscape: packet.append(escape)
        default:
          throw .malformed(
            "a SLIP escape comes before a byte of value \(buffer[hit + 1])",
            offset: buffer.offset + UInt64(hit))
        }
        index = hit + 2
      }
      buffer.copy(index..<count, to: &packet)
      return packet
    }
  }

  /// Writes packets.
  public struct Encoder: FrameEncoder {
    fileprivate let limit: FrameLimit

    /// Appends a packet.
    ///
    /// - Throws: ``FramingError/unencodable(_:)`` for an empty packet and for one above the limit.
    public func encode(_ packet: [UInt8], into output: inout [UInt8]) throws(FramingError) {
      guard !packet.isEmpty else { throw .unencodable("SLIP has no empty packets") }
      try limit.check(outgoing: packet.count)
      output.append(end)
      for byte in packet {
        switch byte {
        case end:
          output.append(escape)
          output.append(escapedEnd)
        case escape:
          output.append(escape)
          output.append(escapedEscape)
        default: output.append(byte)
        }
      }
      output.append(end)
    }
  }
}

extension Framing where Self == SLIPFraming {
  /// Packets between END bytes; see ``SLIPFraming``.
  public static var slip: SLIPFraming { SLIPFraming() }
}
