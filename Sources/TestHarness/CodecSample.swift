import Framing

/// A stream to verify a codec with, from its first byte to its end, and what should come of it.
///
/// ```swift
/// CodecSample("one\ntwo", frames: ["one", "two"])
/// CodecSample([0x61, 0xFF, 0x0A], fails: .invalidUTF8(offset: 1))
/// CodecSample("whatever")  // the same at every split, whatever it is
/// ```
public struct CodecSample<Frame: Sendable>: Sendable {
  /// The whole stream.
  public var bytes: [UInt8]
  /// All the frames that it holds, those that only its end completes included; `nil` if the sample does not say.
  public var frames: [Frame]?
  /// The error that follows the frames.
  public var error: FramingError?

  /// A stream of bytes.
  ///
  /// - Parameters:
  ///   - bytes: The whole stream.
  ///   - frames: What it holds, if that is to be checked.
  ///   - error: What then fails; none if left out and `frames` is given.
  public init(_ bytes: [UInt8], frames: [Frame]? = nil, fails error: FramingError? = nil) {
    self.bytes = bytes
    self.frames = frames
    self.error = error
  }

  /// A stream of UTF-8.
  ///
  /// - Parameters:
  ///   - text: The whole stream.
  ///   - frames: What it holds, if that is to be checked.
  ///   - error: What then fails; none if left out and `frames` is given.
  public init(_ text: String, frames: [Frame]? = nil, fails error: FramingError? = nil) {
    self.init(Array(text.utf8), frames: frames, fails: error)
  }
}

extension CodecSample: ExpressibleByArrayLiteral {
  /// A stream of these bytes, whatever comes of it.
  public init(arrayLiteral bytes: UInt8...) {
    self.init(bytes)
  }
}

extension CodecSample: ExpressibleByStringLiteral {
  /// A stream of UTF-8, whatever comes of it.
  public init(stringLiteral text: String) {
    self.init(text)
  }
}
