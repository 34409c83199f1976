/// Netstrings: a decimal length, a colon, the bytes and a comma, such as `5:hello,`.
///
/// As their author defines them (D. J. Bernstein, "Netstrings", 1997): a length has no leading zeros, and the
/// empty string is `0:,`. Frames have at most 1,048,576 bytes, at most 1,000 empty ones come in a row, and a
/// stream that ends inside a netstring is ``FramingError/truncated(held:offset:)``.
public struct NetstringFraming: Framing {
  private let limit: FrameLimit

  /// Netstrings of at most 1,048,576 bytes.
  public init() {
    limit = FrameLimit()
  }

  /// Netstrings with a limit of one's own.
  ///
  /// - Parameter maximumLength: The longest string in bytes; at least 1.
  /// - Throws: ``FramingError/invalidConfiguration(_:)`` for a limit below 1.
  public init(maximumLength: Int) throws(FramingError) {
    limit = try FrameLimit(maximumLength)
  }

  /// A decoder for the start of a netstring.
  public func makeDecoder() -> FailStopDecoder<Parser> { FailStopDecoder(Parser(limit: limit)) }

  /// An encoder of netstrings.
  public func makeEncoder() -> Encoder { Encoder(limit: limit) }

  private static let prefix = DecimalPrefix(known: UInt8(ascii: ":"))
  private static let comma = UInt8(ascii: ",")

  /// Takes netstrings from a buffer.
  public struct Parser: FrameDecoder {
    fileprivate let limit: FrameLimit
    private var emptyFrames = EmptyFrameLimit()

    fileprivate init(limit: FrameLimit) {
      self.limit = limit
    }

    /// The next string; `nil` if it is not whole yet.
    ///
    /// - Throws: ``FramingError/tooLong(limit:seen:offset:)`` or ``FramingError/malformed(_:offset:)``.
    public mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [UInt8]? {
      // First, so that the error does not depend on how much of the length has come.
      if buffer.count > 1, buffer[0] == UInt8(ascii: "0"), buffer[1] != UInt8(ascii: ":") {
        throw .malformed("the length of a netstring begins with 0", offset: buffer.offset)
      }
      guard let sizes = try prefix.read(buffer) else { return nil }
      let length = try limit.check(announced: sizes.content, at: buffer.offset)
      guard buffer.count - sizes.prefix > length else {
        buffer.searched = buffer.count
        return nil
      }
      let end = sizes.prefix + length
      guard buffer[end] == comma else {
        throw .malformed(
          "a netstring ends in a byte of value \(buffer[end]), not in a comma",
          offset: buffer.offset + UInt64(end))
      }
      try emptyFrames.count(length, at: buffer.offset)
      buffer.consume(sizes.prefix)
      let string = buffer.takePrefix(length)
      buffer.consume(1)
      return string
    }
  }

  /// Writes netstrings.
  public struct Encoder: FrameEncoder {
    fileprivate let limit: FrameLimit

    /// Appends a netstring.
    ///
    /// - Throws: ``FramingError/unencodable(_:)`` for a string above the limit.
    public func encode(_ string: [UInt8], into output: inout [UInt8]) throws(FramingError) {
      try limit.check(outgoing: string.count)
      try prefix.write(string.count, into: &output)
      output.append(contentsOf: string)
      output.append(comma)
    }
  }
}

extension Framing where Self == NetstringFraming {
  /// Netstrings of at most 1 MiB; see ``NetstringFraming``.
  public static var netstring: NetstringFraming { NetstringFraming() }
}
