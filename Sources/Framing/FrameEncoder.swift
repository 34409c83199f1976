/// Turns frames into bytes to send.
public protocol FrameEncoder<Frame>: Sendable {
  /// What the encoder takes.
  associatedtype Frame: Sendable

  /// Appends the bytes of one frame.
  ///
  /// - Parameters:
  ///   - frame: What to send.
  ///   - output: The bytes on their way to the peer, those of earlier frames among them.
  /// - Throws: Why the frame can't be sent. The caller then discards what this call appended.
  mutating func encode(_ frame: Frame, into output: inout [UInt8]) throws(FramingError)
}
