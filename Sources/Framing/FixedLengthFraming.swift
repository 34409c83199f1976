/// Blocks that all have the same length, with nothing between them.
///
/// ```swift
/// try FixedLengthFraming(188)  // the packets of an MPEG transport stream
/// ```
///
/// The length is the limit. A stream that ends inside a block is ``FramingError/truncated(held:offset:)``.
public struct FixedLengthFraming: Framing {
  private let length: Int

  /// - Parameter length: The size of each block in bytes; at least 1.
  /// - Throws: ``FramingError/invalidConfiguration(_:)`` for a length below 1.
  public init(_ length: Int) throws(FramingError) {
    guard length > 0 else {
      throw .invalidConfiguration("blocks of \(length) bytes have no end; make them at least 1 byte long")
    }
    self.length = length
  }

  /// A decoder for the start of a block.
  public func makeDecoder() -> FailStopDecoder<Parser> { FailStopDecoder(Parser(length: length)) }

  /// An encoder of blocks of this length.
  public func makeEncoder() -> Encoder { Encoder(length: length) }

  /// Takes blocks from a buffer.
  public struct Parser: FrameDecoder {
    fileprivate let length: Int

    /// The next block; `nil` if it is not whole yet. Throws nothing.
    public func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [UInt8]? {
      guard buffer.count >= length else {
        buffer.searched = buffer.count
        return nil
      }
      return buffer.takePrefix(length)
    }
  }

  /// Writes blocks as they are.
  public struct Encoder: FrameEncoder {
    fileprivate let length: Int

    /// Appends a block.
    ///
    /// - Throws: ``FramingError/unencodable(_:)`` for a block of another length.
    public func encode(_ block: [UInt8], into output: inout [UInt8]) throws(FramingError) {
      guard block.count == length else {
        throw .unencodable("a block has \(length) bytes, not \(block.count)")
      }
      output.append(contentsOf: block)
    }
  }
}

extension Framing where Self == FixedLengthFraming {
  /// Blocks of the given length; see ``FixedLengthFraming``.
  public static func fixedLength(_ length: Int) throws(FramingError) -> FixedLengthFraming {
    try FixedLengthFraming(length)
  }
}
