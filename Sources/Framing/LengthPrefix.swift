/// How a length stands before the bytes that it counts.
///
/// The integers, `.varint` and `.decimal` come with the module; anything else is a type of one's own:
///
/// ```swift
/// struct HexPrefix: LengthPrefix {  // two hexadecimal digits
///   func read(_ buffer: borrowing ReceiveBuffer) throws(FramingError) -> PrefixedLength? {
///     guard buffer.count >= 2 else { return nil }
///     guard let text = buffer.string(count: 2), let length = UInt64(text, radix: 16) else {
///       throw .malformed("a length is two hexadecimal digits", offset: buffer.offset)
///     }
///     return PrefixedLength(prefix: 2, content: length)
///   }
///
///   func write(_ length: Int, into output: inout [UInt8]) throws(FramingError) {
///     guard length <= 0xFF else { throw .unencodable("\(length) bytes don't fit in two digits") }
///     let digits = String(length, radix: 16)
///     output.append(contentsOf: (digits.utf8.count < 2 ? "0" + digits : digits).utf8)
///   }
/// }
///
/// LengthPrefixFraming(HexPrefix())
/// ```
public protocol LengthPrefix: Sendable {
  /// Reads the prefix at the front of the buffer, and leaves it there.
  ///
  /// It is asked again for each read until the frame is whole, so a prefix should be short.
  ///
  /// - Returns: The sizes, or `nil` if the prefix is not whole yet.
  /// - Throws: ``FramingError/malformed(_:offset:)`` as soon as the bytes can't become a prefix any more.
  func read(_ buffer: borrowing ReceiveBuffer) throws(FramingError) -> PrefixedLength?

  /// Appends the prefix of a frame.
  ///
  /// - Parameters:
  ///   - length: How many bytes will follow.
  ///   - output: The bytes on their way to the peer.
  /// - Throws: ``FramingError/unencodable(_:)`` if the prefix can't express the length.
  func write(_ length: Int, into output: inout [UInt8]) throws(FramingError)
}

/// What a length prefix says.
public struct PrefixedLength: Hashable, Sendable {
  /// How many bytes the prefix itself takes, at least 1.
  public var prefix: Int
  /// How many bytes follow it, whatever the peer claims: the framing checks that against its limit.
  public var content: UInt64

  /// - Parameters:
  ///   - prefix: How many bytes the prefix itself takes.
  ///   - content: How many bytes follow it.
  @inlinable
  public init(prefix: Int, content: UInt64) {
    self.prefix = prefix
    self.content = content
  }

  /// What is wrong with a prefix that takes no bytes, which a frame could follow for ever.
  @inline(never) @usableFromInline
  func noBytes(at offset: UInt64) -> FramingError {
    .malformed("the length prefix claims to take \(prefix) bytes; it must take at least 1", offset: offset)
  }
}
