/// A length of one to ten bytes, seven bits in each, the least significant first; the high bit says that another
/// byte follows (LEB128, as in Protocol Buffers' delimited messages).
///
/// A length that is written with more bytes than it needs is accepted.
public struct VarintPrefix: LengthPrefix, Hashable {
  /// Makes the prefix; there is nothing to configure.
  public init() {}

  /// The length at the front of the buffer.
  ///
  /// - Throws: ``FramingError/malformed(_:offset:)`` if it has more than 64 bits.
  public func read(_ buffer: borrowing ReceiveBuffer) throws(FramingError) -> PrefixedLength? {
    var value: UInt64 = 0
    for index in 0..<Swift.min(buffer.count, 10) {
      let byte = buffer[index]
      guard index < 9 || byte <= 1 else {
        throw .malformed("a varint has more than 64 bits", offset: buffer.offset)
      }
      value |= UInt64(byte & 0x7F) << (7 * UInt64(index))
      if byte < 0x80 { return PrefixedLength(prefix: index + 1, content: value) }
    }
    return nil
  }

  /// Appends a length, in as few bytes as it takes.
  ///
  /// - Throws: ``FramingError/unencodable(_:)`` for a negative one.
  public func write(_ length: Int, into output: inout [UInt8]) throws(FramingError) {
    guard var rest = UInt64(exactly: length) else { throw .unencodable("a length can't be \(length)") }
    while rest >= 0x80 {
      output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    output.append(UInt8(rest))
  }
}

extension LengthPrefix where Self == VarintPrefix {
  /// One to ten bytes, seven bits in each.
  public static var varint: VarintPrefix { VarintPrefix() }
}
