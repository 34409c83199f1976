/// Why bytes could not be decoded, a frame could not be encoded, or a framing could not be configured.
///
/// Offsets count bytes from the first one that the stream's buffer ever held.
public enum FramingError: Error, Hashable, Sendable {
  /// The frame that begins at `offset` is longer than `limit` bytes, its delimiters not counted.
  ///
  /// `seen` is the size at which it was refused: one byte more than the limit where the end is found by looking
  /// for it, and what the peer announced where a length comes first.
  case tooLong(limit: Int, seen: Int, offset: UInt64)

  /// The frame should be text, and the bytes that begin at `offset` are not UTF-8.
  case invalidUTF8(offset: UInt64)

  /// The stream ended inside the frame that begins at `offset`, of which `held` bytes had come.
  case truncated(held: Int, offset: UInt64)

  /// The bytes at `offset` break the rules of the codec, which says how.
  case malformed(String, offset: UInt64)

  /// A frame that was to be sent breaks the rules of the codec, which says how. Nothing of it is sent.
  case unencodable(String)

  /// A value that a framing was made with can't work. The text says which and what to change.
  case invalidConfiguration(String)
}

extension FramingError: CustomStringConvertible {
  /// What happened, with the limit, the size and the place in the stream.
  public var description: String {
    switch self {
    case .tooLong(let limit, let seen, let offset):
      "the frame at offset \(offset) is too long: \(seen) bytes seen, the limit is \(limit)"
    case .invalidUTF8(let offset):
      "invalid UTF-8 at offset \(offset)"
    case .truncated(let held, let offset):
      "the stream ended too soon: of what begins at offset \(offset), \(held == 1 ? "1 byte" : "\(held) bytes") had come"
    case .malformed(let problem, let offset):
      "malformed at offset \(offset): \(problem)"
    case .unencodable(let problem):
      "the frame can't be sent: \(problem)"
    case .invalidConfiguration(let problem):
      "invalid framing: \(problem)"
    }
  }
}
