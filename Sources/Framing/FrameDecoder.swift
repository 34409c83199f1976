/// Takes whole frames, one at a time, from the front of a buffer that belongs to somebody else.
///
/// A decoder is a pure value: it does no I/O and keeps no bytes. What it has not yet made a frame of stays in
/// the buffer, so that another codec can take over at any frame with nothing lost. The frames that it makes
/// depend on the bytes alone, never on how the network cut them into reads.
public protocol FrameDecoder<Frame>: Sendable {
  /// What the decoder makes.
  associatedtype Frame: Sendable

  /// Takes the next whole frame from the front of the buffer, and exactly its bytes.
  ///
  /// - Parameter buffer: What has been received and not yet been taken.
  /// - Returns: The frame, or `nil` if more bytes are needed, in which case nothing was consumed that whoever
  ///   decodes next would need.
  /// - Throws: What is wrong with the stream. From then on every call throws the same error, which
  ///   ``FailStopDecoder`` sees to.
  mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> Frame?

  /// Says that the stream has ended. To be called once `decode` has returned `nil`, until it returns `nil` too.
  ///
  /// Unless a decoder says otherwise: the frames that are whole, and then an error if bytes are left.
  ///
  /// - Parameter buffer: What has been received and not yet been taken.
  /// - Returns: A last frame, or `nil` if nothing is left.
  /// - Throws: ``FramingError/truncated(held:offset:)`` if the stream ended inside a frame and the codec does
  ///   not count that as one. From then on every call throws the same error.
  mutating func finish(_ buffer: inout ReceiveBuffer) throws(FramingError) -> Frame?

  /// Whether a frame has begun, so that more bytes could complete it.
  ///
  /// To be asked once `decode` has returned `nil`; the answer tells a graceful shutdown whether there is
  /// something to wait for. If it is `false`, the end of the stream brings no frame and no error. If it is `true`, it
  /// brings either, unless what has begun is a frame that the decoder drops: whether it will is not known before it
  /// is whole. Unless a decoder says otherwise: whether the buffer holds any bytes.
  func isMidFrame(_ buffer: borrowing ReceiveBuffer) -> Bool
}

extension FrameDecoder {
  /// The frames that are whole, and then ``FramingError/truncated(held:offset:)`` if bytes are left.
  @inlinable
  public mutating func finish(_ buffer: inout ReceiveBuffer) throws(FramingError) -> Frame? {
    if let frame = try decode(&buffer) { return frame }
    guard buffer.isEmpty else { throw .truncated(held: buffer.count, offset: buffer.offset) }
    return nil
  }

  /// Whether the buffer holds any bytes.
  @inlinable
  public func isMidFrame(_ buffer: borrowing ReceiveBuffer) -> Bool {
    !buffer.isEmpty
  }
}
