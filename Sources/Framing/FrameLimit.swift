/// The longest frame that a block codec accepts, in both directions.
@usableFromInline
struct FrameLimit: Sendable {
  /// 1 MiB.
  static let standard = 1_048_576

  @usableFromInline let bytes: Int

  /// The limit unless another is given.
  init() {
    bytes = Self.standard
  }

  init(_ bytes: Int) throws(FramingError) {
    guard bytes > 0 else {
      throw .invalidConfiguration(
        "the maximum frame length is \(bytes) bytes; make it at least 1 (the default is \(Self.standard))")
    }
    self.bytes = bytes
  }

  /// A length that a peer announced, if it is within the limit.
  @inlinable
  func check(announced length: UInt64, at offset: UInt64) throws(FramingError) -> Int {
    guard length <= UInt64(bytes) else {
      throw .tooLong(limit: bytes, seen: Int(clamping: length), offset: offset)
    }
    return Int(length)
  }

  /// Refuses a frame that the peer, if it is configured alike, would refuse.
  func check(outgoing length: Int) throws(FramingError) {
    guard length <= bytes else { throw .unencodable("it has \(length) bytes, the limit is \(bytes)") }
  }
}
