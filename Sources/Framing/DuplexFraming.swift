/// One framing for what comes in and another for what goes out.
///
/// ```swift
/// let framing = LineFraming().sending(RawFraming())  // lines in, bytes as they are out
/// ```
public struct DuplexFraming<Inbound: Framing, Outbound: Framing>: Framing {
  /// The framing that decodes.
  public var inbound: Inbound
  /// The framing that encodes.
  public var outbound: Outbound

  /// Joins the decoder of one framing with the encoder of another.
  ///
  /// - Parameters:
  ///   - inbound: The framing that decodes what is received.
  ///   - outbound: The framing that encodes what is sent.
  public init(inbound: Inbound, outbound: Outbound) {
    self.inbound = inbound
    self.outbound = outbound
  }

  /// A decoder of the inbound framing.
  public func makeDecoder() -> Inbound.Decoder {
    inbound.makeDecoder()
  }

  /// An encoder of the outbound framing.
  public func makeEncoder() -> Outbound.Encoder {
    outbound.makeEncoder()
  }
}
