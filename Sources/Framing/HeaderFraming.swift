/// Messages that begin with a header of fixed size, somewhere in which stands their length.
///
/// A frame is the whole message, header included. In one that is sent, the encoder fills in the length.
///
/// ```swift
/// try HeaderFraming(length: 24, field: .uint32, at: 8)                       // memcached's binary protocol
/// try HeaderFraming(length: 8, field: .uint16.adjusted(by: -8), at: 2)       // the length counts the header
/// ```
///
/// A stream that ends inside a message is ``FramingError/truncated(held:offset:)``.
public struct HeaderFraming: Framing {
  private let layout: Layout

  /// - Parameters:
  ///   - length: The size of the header in bytes.
  ///   - field: What the length looks like. Unadjusted it counts the bytes after the header; for one that counts
  ///     the header too, adjust it by minus the header's size.
  ///   - offset: How many bytes of the header come before it.
  ///   - maximumLength: The longest message in bytes, header included; by default 1,048,576.
  /// - Throws: ``FramingError/invalidConfiguration(_:)`` if the field is not inside the header, the header
  ///   not within the maximum, or the field adjusted below every value that it can have.
  public init(
    length: Int, field: IntegerField, at offset: Int, maximumLength: Int = 1_048_576
  ) throws(FramingError) {
    guard length >= field.width, offset >= 0, offset <= length - field.width else {
      throw .invalidConfiguration(
        "a field of \(field.width) bytes at \(offset) is not inside a header of \(length) bytes")
    }
    if let problem = field.problem { throw .invalidConfiguration(problem) }
    guard length <= maximumLength else {
      throw .invalidConfiguration(
        "a header of \(length) bytes is longer than the longest message, \(maximumLength) bytes")
    }
    layout = Layout(headerLength: length, field: field, offset: offset, limit: try FrameLimit(maximumLength))
  }

  /// A decoder for the start of a message.
  public func makeDecoder() -> FailStopDecoder<Parser> { FailStopDecoder(Parser(layout: layout)) }

  /// An encoder that fills in lengths.
  public func makeEncoder() -> Encoder { Encoder(layout: layout) }

  fileprivate struct Layout: Sendable {
    var headerLength: Int
    var field: IntegerField
    var offset: Int
    var limit: FrameLimit
  }

  /// Takes messages from a buffer.
  public struct Parser: FrameDecoder {
    fileprivate let layout: Layout

    /// The next message, with its header; `nil` if it is not whole yet.
    ///
    /// - Throws: ``FramingError/tooLong(limit:seen:offset:)``, or ``FramingError/malformed(_:offset:)`` for a
    ///   length that is less than what it counts besides the content.
    public mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [UInt8]? {
      guard buffer.count >= layout.headerLength else { return nil }
      let content = try layout.field.length(in: buffer, at: layout.offset)
      let (total, overflow) = content.addingReportingOverflow(UInt64(layout.headerLength))
      let length = try layout.limit.check(announced: overflow ? .max : total, at: buffer.offset)
      guard buffer.count >= length else {
        buffer.searched = buffer.count
        return nil
      }
      return buffer.takePrefix(length)
    }
  }

  /// Writes messages with their lengths filled in.
  public struct Encoder: FrameEncoder {
    fileprivate let layout: Layout

    /// Appends a message, whatever its length field held replaced by its length.
    ///
    /// - Throws: ``FramingError/unencodable(_:)`` for a message that is shorter than the header, above the
    ///   limit, or whose length the field can't express.
    public func encode(_ message: [UInt8], into output: inout [UInt8]) throws(FramingError) {
      guard message.count >= layout.headerLength else {
        throw .unencodable("a message of \(message.count) bytes has no header of \(layout.headerLength)")
      }
      try layout.limit.check(outgoing: message.count)
      let value = try layout.field.value(forLength: message.count - layout.headerLength)
      let start = output.count
      output.append(contentsOf: message)
      layout.field.replace(value, in: &output, at: start + layout.offset)
    }
  }
}
