/// The frames of another framing, each made into any number of values; made by `flatMap`.
///
/// The values that one frame became belong to the decoder until they are taken, for the bytes of the frame have been
/// consumed: a change of codec between them would lose those that remain.
public struct FlatMappedFraming<Base: Framing, Inbound: Sendable>: Framing {
  fileprivate let base: MappedFraming<Base, [Inbound], Base.Encoder.Frame>

  /// A decoder that takes apart what the one underneath makes.
  public func makeDecoder() -> Decoder { Decoder(base: base.makeDecoder()) }

  /// The encoder of the framing underneath.
  public func makeEncoder() -> Base.Encoder { base.base.makeEncoder() }

  /// Takes apart the frames of another decoder.
  public struct Decoder: FrameDecoder {
    private var base: MappedFraming<Base, [Inbound], Base.Encoder.Frame>.Decoder
    private var values: ArraySlice<Inbound> = []

    fileprivate init(base: MappedFraming<Base, [Inbound], Base.Encoder.Frame>.Decoder) {
      self.base = base
    }

    /// The next value; `nil` if none is there yet. Throws as ``MappedFraming`` does.
    public mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> Inbound? {
      while true {
        if let value = values.popFirst() { return value }
        guard let next = try base.decode(&buffer) else { return nil }
        values = next[...]
      }
    }

    /// What the decoder underneath makes of the end of the stream, taken apart as well.
    public mutating func finish(_ buffer: inout ReceiveBuffer) throws(FramingError) -> Inbound? {
      while true {
        if let value = values.popFirst() { return value }
        guard let next = try base.finish(&buffer) else { return nil }
        values = next[...]
      }
    }

    /// Whether values remain, or else what the decoder underneath says.
    public func isMidFrame(_ buffer: borrowing ReceiveBuffer) -> Bool {
      !values.isEmpty || base.isMidFrame(buffer)
    }
  }
}

extension Framing {
  /// Any number of values for each frame that comes. What is sent stays as it is.
  ///
  /// ```swift
  /// LineFraming().flatMap { $0.split(separator: " ").map(String.init) }  // words
  /// ```
  ///
  /// - Parameter inbound: Makes the values of a frame. If it throws, the decoder fails.
  public func flatMap<Value: Sendable>(
    _ inbound: @escaping @Sendable (Decoder.Frame) throws -> [Value]
  ) -> FlatMappedFraming<Self, Value> {
    FlatMappedFraming(base: map(inbound))
  }
}
