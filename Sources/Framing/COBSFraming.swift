/// Packets without a zero byte in them, each ended by one: consistent overhead byte stuffing.
///
/// As its authors define it (Cheshire and Baker, "Consistent Overhead Byte Stuffing", IEEE/ACM Transactions on
/// Networking 7(2), 1999): one byte more than the packet, and another for each 254 bytes without a zero.
///
/// Zeros where no packet has begun are ignored. Packets have at most 1,048,576 bytes unless told otherwise, and a
/// stream that ends inside one is ``FramingError/truncated(held:offset:)``.
public struct COBSFraming: Framing {
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
  ///   - maximumLength: The longest packet in bytes, as it was before it was stuffed; at least 1, by default
  ///     1,048,576.
  ///   - badFrames: What becomes of a packet that is too long or wrongly stuffed: by default an error.
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

  /// Takes packets from a buffer.
  public struct Parser: FrameDecoder {
    /// How many bad packets have been dropped, if the framing says that they are.
    public private(set) var skippedFrames = 0

    private let limit: Int
    /// How long the longest packet can be once it is stuffed.
    private let stuffedLimit: Int
    private let skips: Bool
    /// Whether bytes of a packet that is too long have been dropped, and its end has not come.
    private var isSkipping = false

    fileprivate init(limit: FrameLimit, badFrames: BadFrames) {
      self.limit = limit.bytes
      let overhead = limit.bytes / 254 + 1
      stuffedLimit = limit.bytes > .max - overhead ? .max : limit.bytes + overhead
      skips = badFrames == .skip
    }

    /// The next packet; `nil` if none has ended yet.
    ///
    /// - Throws: ``FramingError/tooLong(limit:seen:offset:)``, or ``FramingError/malformed(_:offset:)`` for a
    ///   packet that ends before its last block does.
    public mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [UInt8]? {
      while true {
        let zero = buffer.firstIndex(of: 0, from: buffer.searched)
        let size = zero ?? buffer.count
        if size > stuffedLimit {
          guard skips else { throw .tooLong(limit: limit, seen: limit + 1, offset: buffer.offset) }
          // At once, since its end need never come.
          if !isSkipping { skippedFrames += 1 }
          isSkipping = true
        }
        guard zero != nil else {
          if isSkipping { buffer.discard(size) } else { buffer.searched = size }
          return nil
        }
        if isSkipping || size == 0 {
          isSkipping = false
          buffer.discard(size + 1)
          continue
        }
        do throws(FramingError) {
          let packet = try unstuff(buffer, size)
          buffer.consume(size + 1)
          return packet
        } catch {
          guard skips else { throw error }
          skippedFrames += 1
          buffer.discard(size + 1)
        }
      }
    }

    private func unstuff(_ buffer: borrowing ReceiveBuffer, _ count: Int) throws(FramingError) -> [UInt8] {
      var packet: [UInt8] = []
      packet.reserveCapacity(count)
      var index = 0
      while index < count {
        let next = index + Int(buffer[index])
        guard next <= count else {
          throw .malformed(
            "a COBS block of \(buffer[index]) bytes goes beyond the end of its packet",
            offset: buffer.offset + UInt64(index))
        }
        buffer.copy((index + 1)..<next, to: &packet)
        // The last block, and one of the greatest length, have no zero after them.
        if next < count, next - index < 0xFF { packet.append(0) }
        index = next
      }
      guard packet.count <= limit else {
        throw .tooLong(limit: limit, seen: limit + 1, offset: buffer.offset)
      }
      return packet
    }
  }

  /// Writes packets.
  public struct Encoder: FrameEncoder {
    fileprivate let limit: FrameLimit

    /// Appends a packet, which may be empty.
    ///
    /// - Throws: ``FramingError/unencodable(_:)`` for a packet above the limit.
    public func encode(_ packet: [UInt8], into output: inout [UInt8]) throws(FramingError) {
      try limit.check(outgoing: packet.count)
      var code = output.count
      output.append(1)
      for (index, byte) in packet.enumerated() {
        if byte != 0 {
          output.append(byte)
          output[code] += 1
        }
        // A full block is followed by another only if there is something to put in it.
        if byte == 0 || (output[code] == 0xFF && index < packet.count - 1) {
          code = output.count
          output.append(1)
        }
      }
      output.append(0)
    }
  }
}

extension Framing where Self == COBSFraming {
  /// Packets stuffed so that only their ends are zero; see ``COBSFraming``.
  public static var cobs: COBSFraming { COBSFraming() }
}
