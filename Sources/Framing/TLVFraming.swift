/// Records of a type, a length and a value.
///
/// ```swift
/// TLVFraming(type: .uint8, length: .uint16)
/// TLVFraming(type: .uint16, length: .uint16.adjusted(by: -4))  // the length counts type and length too
/// ```
///
/// Values have at most 1,048,576 bytes unless told otherwise. What types mean, and whether an unknown one is
/// skipped, is for the reader of the frames. A stream that ends inside a record is
/// ``FramingError/truncated(held:offset:)``.
public struct TLVFraming: Framing {
  /// A type and its value.
  public struct Record: Hashable, Sendable {
    /// What the value is, as the protocol defines it.
    public var type: UInt64
    /// The value, without type and length.
    public var value: [UInt8]

    /// - Parameters:
    ///   - type: What the value is.
    ///   - value: The value.
    public init(type: UInt64, value: [UInt8] = []) {
      self.type = type
      self.value = value
    }
  }

  private let fields: Fields

  /// Values of at most 1,048,576 bytes.
  ///
  /// - Parameters:
  ///   - type: What a type looks like.
  ///   - length: What a length looks like. Unadjusted it counts the value alone.
  public init(type: IntegerField, length: IntegerField) {
    fields = Fields(type: type, length: length, limit: FrameLimit())
  }

  /// Values with a limit of one's own.
  ///
  /// - Parameters:
  ///   - type: What a type looks like.
  ///   - length: What a length looks like. Unadjusted it counts the value alone.
  ///   - maximumLength: The longest value in bytes; at least 1.
  /// - Throws: ``FramingError/invalidConfiguration(_:)`` for a limit below 1, and for a length that is adjusted below
  ///   every value that it can have.
  public init(type: IntegerField, length: IntegerField, maximumLength: Int) throws(FramingError) {
    if let problem = length.problem { throw .invalidConfiguration(problem) }
    fields = Fields(type: type, length: length, limit: try FrameLimit(maximumLength))
  }

  /// A decoder for the start of a record.
  public func makeDecoder() -> FailStopDecoder<Parser> { FailStopDecoder(Parser(fields: fields)) }

  /// An encoder of records.
  public func makeEncoder() -> Encoder { Encoder(fields: fields) }

  fileprivate struct Fields: Sendable {
    var type: IntegerField
    var length: IntegerField
    var limit: FrameLimit
  }

  /// Takes records from a buffer.
  public struct Parser: FrameDecoder {
    fileprivate let fields: Fields

    /// The next record; `nil` if it is not whole yet.
    ///
    /// - Throws: ``FramingError/tooLong(limit:seen:offset:)``, or ``FramingError/malformed(_:offset:)`` for a
    ///   length that is less than what it counts besides the value.
    public mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> Record? {
      let header = fields.type.width + fields.length.width
      guard buffer.count >= header else { return nil }
      let announced = try fields.length.length(in: buffer, at: fields.type.width)
      let length = try fields.limit.check(announced: announced, at: buffer.offset)
      guard buffer.count - header >= length else {
        buffer.searched = buffer.count
        return nil
      }
      let type = fields.type.value(in: buffer, at: 0)
      buffer.consume(header)
      return Record(type: type, value: buffer.takePrefix(length))
    }
  }

  /// Writes records.
  public struct Encoder: FrameEncoder {
    fileprivate let fields: Fields

    /// Appends a record.
    ///
    /// - Throws: ``FramingError/unencodable(_:)`` for a value above the limit, and for a type or a length that
    ///   doesn't fit its field.
    public func encode(_ record: Record, into output: inout [UInt8]) throws(FramingError) {
      guard record.type <= fields.type.maximum else {
        throw .unencodable("type \(record.type) doesn't fit in \(fields.type.width * 8) bits")
      }
      try fields.limit.check(outgoing: record.value.count)
      fields.type.append(record.type, to: &output)
      try fields.length.write(record.value.count, into: &output)
      output.append(contentsOf: record.value)
    }
  }
}

extension Framing where Self == TLVFraming {
  /// Records of a type, a length and a value; see ``TLVFraming``.
  public static func tlv(type: IntegerField, length: IntegerField) -> TLVFraming {
    TLVFraming(type: type, length: length)
  }
}
