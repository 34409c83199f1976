/// No framing at all: a frame is whatever bytes have arrived, and is sent as it is.
///
/// Where one frame ends and the next begins says nothing about how the peer sent them.
public struct RawFraming: Framing {
  /// Makes the framing; there is nothing to configure.
  public init() {}

  /// A decoder that hands out what the buffer holds.
  public func makeDecoder() -> Decoder { Decoder() }

  /// An encoder that adds nothing.
  public func makeEncoder() -> Encoder { Encoder() }

  /// Hands out all that the buffer holds, never an empty frame.
  public struct Decoder: FrameDecoder {
    /// Takes every byte that has arrived; `nil` if there are none. Throws nothing.
    public func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [UInt8]? {
      buffer.isEmpty ? nil : buffer.takeAll()
    }

    /// Takes what is left; `nil` if there is nothing. Throws nothing.
    public func finish(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [UInt8]? {
      try decode(&buffer)
    }
  }

  /// Writes frames as they are.
  public struct Encoder: FrameEncoder {
    /// Appends the bytes of the frame, none for an empty one. Throws nothing.
    public func encode(_ frame: [UInt8], into output: inout [UInt8]) throws(FramingError) {
      output.append(contentsOf: frame)
    }
  }
}
