/// How the bytes of a connection are cut into frames, in both directions: a maker of codecs.
///
/// A framing is a value that is written down once and shared by any number of connections, each of which gets
/// a decoder and an encoder of its own.
///
/// ```swift
/// let framing = LineFraming()
/// var decoder = framing.makeDecoder()
/// var buffer = ReceiveBuffer(Array("one\ntw".utf8))
/// try decoder.decode(&buffer)  // "one"
/// try decoder.decode(&buffer)  // nil: "tw" stays in the buffer until more bytes come
/// ```
public protocol Framing: Sendable {
  /// What turns received bytes into frames.
  associatedtype Decoder: FrameDecoder
  /// What turns frames into bytes to send.
  associatedtype Encoder: FrameEncoder

  /// A decoder for the start of a stream, or for the place where another codec left off.
  func makeDecoder() -> Decoder

  /// An encoder for a new connection.
  func makeEncoder() -> Encoder
}

extension Framing {
  /// The same decoder with another framing's encoder.
  ///
  /// - Parameter outbound: The framing that encodes what is sent. Its decoder is not used.
  public func sending<Outbound: Framing>(_ outbound: Outbound) -> DuplexFraming<Self, Outbound> {
    DuplexFraming(inbound: self, outbound: outbound)
  }
}
