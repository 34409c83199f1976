/// A framing whose bytes come in the frames of another one; made by ``Framing/then(_:)``.
public struct StackedFraming<Outer: Framing, Inner: Framing>: Framing
where Outer.Decoder.Frame == [UInt8], Outer.Encoder.Frame == [UInt8] {
  fileprivate let outer: Outer
  fileprivate let inner: Inner

  /// A decoder of the inner frames.
  public func makeDecoder() -> Decoder {
    Decoder(outer: outer.makeDecoder(), inner: inner.makeDecoder())
  }

  /// An encoder that sends each inner frame in an outer frame of its own.
  public func makeEncoder() -> Encoder {
    Encoder(outer: outer.makeEncoder(), inner: inner.makeEncoder())
  }

  /// Takes frames out of the frames of another decoder.
  public struct Decoder: FrameDecoder {
    private var outer: Outer.Decoder
    private var inner: Inner.Decoder
    private var content = ReceiveBuffer()

    fileprivate init(outer: Outer.Decoder, inner: Inner.Decoder) {
      self.outer = outer
      self.inner = inner
    }

    /// What outer frames have brought and no inner frame has taken.
    ///
    /// It is the decoder's, for its outer framing is gone; bytes of an unfinished outer frame are in the
    /// connection's buffer as ever.
    public var pending: [UInt8] { content.pending }

    /// The next inner frame; `nil` if none is whole yet.
    ///
    /// - Throws: What either decoder does. The places in errors of the inner one count the bytes in outer
    ///   frames.
    public mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> Inner.Decoder.Frame? {
      while true {
        if let frame = try inner.decode(&content) { return frame }
        guard let block = try outer.decode(&buffer) else { return nil }
        content.append(contentsOf: block)
      }
    }

    /// What is left at the end of both streams: first the outer one ends, and then the inner one.
    public mutating func finish(_ buffer: inout ReceiveBuffer) throws(FramingError) -> Inner.Decoder.Frame? {
      while true {
        if let frame = try decode(&buffer) { return frame }
        guard let block = try outer.finish(&buffer) else { return try inner.finish(&content) }
        content.append(contentsOf: block)
      }
    }

    /// Whether either decoder is in the middle of a frame.
    public func isMidFrame(_ buffer: borrowing ReceiveBuffer) -> Bool {
      outer.isMidFrame(buffer) || inner.isMidFrame(content)
    }
  }

  /// Writes frames in the frames of another encoder.
  public struct Encoder: FrameEncoder {
    fileprivate var outer: Outer.Encoder
    fileprivate var inner: Inner.Encoder

    /// Appends the frame in an outer one. Throws what either encoder does.
    public mutating func encode(
      _ frame: Inner.Encoder.Frame, into output: inout [UInt8]
    ) throws(FramingError) {
      var block: [UInt8] = []
      try inner.encode(frame, into: &block)
      try outer.encode(block, into: &output)
    }
  }
}

extension Framing where Decoder.Frame == [UInt8], Encoder.Frame == [UInt8] {
  /// Another framing inside the frames of this one, whose frames, put together, are its stream.
  ///
  /// ```swift
  /// LengthPrefixFraming(.uint16).then(LineFraming())  // lines, cut into blocks anyhow
  /// ```
  ///
  /// - Parameter inner: The framing of the bytes that frames of this one bring.
  public func then<Inner: Framing>(_ inner: Inner) -> StackedFraming<Self, Inner> {
    StackedFraming(outer: self, inner: inner)
  }
}
