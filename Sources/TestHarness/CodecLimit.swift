/// Streams just inside and just outside a codec's limit: a whole frame exactly at it, and the beginning of a greater
/// one, up to the byte that makes it certain.
///
/// ```swift
/// try verifyCodec(
///   LineFraming(maximumLength: 5), frames: ["one"],
///   limit: CodecLimit(5, accepts: "12345\n", refuses: "123456"))
/// ```
public struct CodecLimit: Sendable {
  /// The limit, as ``FramingError/tooLong(limit:seen:offset:)`` is to name it.
  public var limit: Int
  /// A stream of frames of which one is exactly at the limit.
  public var accepts: [UInt8]
  /// The shortest stream that must be refused: its last byte is the one that makes it certain.
  public var refuses: [UInt8]

  /// A limit with streams of bytes.
  ///
  /// - Parameters:
  ///   - limit: What the error is to name.
  ///   - accepts: Whole frames, one of them exactly at the limit.
  ///   - refuses: The beginning of a frame above the limit, up to and including the byte at which it is certain:
  ///     the first byte too many where the end of a frame has to be found, the last byte of a length.
  public init(_ limit: Int, accepts: [UInt8], refuses: [UInt8]) {
    self.limit = limit
    self.accepts = accepts
    self.refuses = refuses
  }

  /// A limit with streams of UTF-8.
  ///
  /// - Parameters:
  ///   - limit: What the error is to name.
  ///   - accepts: Whole frames, one of them exactly at the limit.
  ///   - refuses: The beginning of a frame above the limit, up to and including the byte at which it is certain.
  public init(_ limit: Int, accepts: String, refuses: String) {
    self.init(limit, accepts: Array(accepts.utf8), refuses: Array(refuses.utf8))
  }
}
