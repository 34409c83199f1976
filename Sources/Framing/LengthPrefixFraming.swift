/// Frames of bytes, each after its length.
///
/// ```swift
/// LengthPrefixFraming(.uint32)                              // network byte order, at most 1 MiB
/// LengthPrefixFraming(.uint16.littleEndian)
/// LengthPrefixFraming(.uint32.countingItself)
/// try LengthPrefixFraming(.varint, maximumLength: 65_536)   // as Protocol Buffers' delimited messages
/// LengthPrefixFraming(.decimal)                             // "3\0abc"
/// ```
///
/// A prefix of one's own is a ``LengthPrefix``; a length inside a longer header is for ``HeaderFraming``.
///
/// A length above the limit is ``FramingError/tooLong(limit:seen:offset:)`` as soon as it is read, and no length
/// reserves memory ahead of the bytes. Too many empty frames in a row are an error, since they cost a peer next
/// to nothing. A stream that ends inside a frame is ``FramingError/truncated(held:offset:)``.
public struct LengthPrefixFraming<Prefix: LengthPrefix>: Framing {
  private let prefix: Prefix
  private let limit: FrameLimit
  private let emptyFrames: EmptyFrameLimit

  /// Frames of at most 1,048,576 bytes, at most 1,000 of them empty in a row.
  ///
  /// - Parameter prefix: How the length is written.
  public init(_ prefix: Prefix) {
    self.prefix = prefix
    limit = FrameLimit()
    emptyFrames = EmptyFrameLimit()
  }

  /// Frames with limits of one's own.
  ///
  /// - Parameters:
  ///   - prefix: How the length is written.
  ///   - maximumLength: The longest frame in bytes, its prefix not counted; at least 1, by default 1,048,576.
  ///   - maximumEmptyRun: How many empty frames may come in a row, at least 0; by default 1,000. If empty
  ///     frames are a protocol's sign of life, more than a thousand may come on a quiet connection: `.max` is
  ///     no limit.
  /// - Throws: ``FramingError/invalidConfiguration(_:)`` for a maximum that is too small, and for an integer that is
  ///   adjusted below every value that it can have.
  public init(
    _ prefix: Prefix, maximumLength: Int = 1_048_576, maximumEmptyRun: Int = 1_000
  ) throws(FramingError) {
    if let problem = (prefix as? IntegerField)?.problem { throw .invalidConfiguration(problem) }
    self.prefix = prefix
    limit = try FrameLimit(maximumLength)
    emptyFrames = try EmptyFrameLimit(maximumEmptyRun)
  }

  /// A decoder for the start of a prefix.
  public func makeDecoder() -> FailStopDecoder<Parser> {
    FailStopDecoder(Parser(prefix: prefix, limit: limit, emptyFrames: emptyFrames))
  }

  /// An encoder that writes the length first.
  public func makeEncoder() -> Encoder { Encoder(prefix: prefix, limit: limit) }

  /// Takes frames from a buffer.
  public struct Parser: FrameDecoder {
    @usableFromInline let prefix: Prefix
    @usableFromInline let limit: FrameLimit
    @usableFromInline var emptyFrames: EmptyFrameLimit

    /// The next frame, without its prefix; `nil` if it is not whole yet.
    ///
    /// - Throws: ``FramingError/tooLong(limit:seen:offset:)``, or ``FramingError/malformed(_:offset:)`` for a
    ///   prefix that is none and for too many empty frames.
    @inlinable
    public mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [UInt8]? {
      guard let sizes = try prefix.read(buffer) else { return nil }
      guard sizes.prefix > 0 else { throw sizes.noBytes(at: buffer.offset) }
      let length = try limit.check(announced: sizes.content, at: buffer.offset)
      guard buffer.count - sizes.prefix >= length else {
        buffer.searched = buffer.count
        return nil
      }
      try emptyFrames.count(length, at: buffer.offset)
      buffer.consume(sizes.prefix)
      return buffer.takePrefix(length)
    }
  }

  /// Writes frames after their lengths.
  public struct Encoder: FrameEncoder {
    fileprivate let prefix: Prefix
    fileprivate let limit: FrameLimit

    /// Appends the length and the frame.
    ///
    /// - Throws: ``FramingError/unencodable(_:)`` for a frame above the limit, or whose length the prefix can't
    ///   express.
    public func encode(_ frame: [UInt8], into output: inout [UInt8]) throws(FramingError) {
      try limit.check(outgoing: frame.count)
      try prefix.write(frame.count, into: &output)
      output.append(contentsOf: frame)
    }
  }
}

extension Framing {
  /// Frames after their lengths, of at most 1 MiB; see ``LengthPrefixFraming``.
  public static func lengthPrefixed<Prefix: LengthPrefix>(
    _ prefix: Prefix
  ) -> LengthPrefixFraming<Prefix> where Self == LengthPrefixFraming<Prefix> {
    LengthPrefixFraming(prefix)
  }

  /// Frames after their lengths, with a limit of one's own; see ``LengthPrefixFraming``.
  public static func lengthPrefixed<Prefix: LengthPrefix>(
    _ prefix: Prefix, maximumLength: Int
  ) throws(FramingError) -> LengthPrefixFraming<Prefix> where Self == LengthPrefixFraming<Prefix> {
    try LengthPrefixFraming(prefix, maximumLength: maximumLength)
  }
}
