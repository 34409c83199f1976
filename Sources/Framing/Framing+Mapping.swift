extension Framing {
  /// The same frames, made into other values as they come. What is sent stays as it is.
  ///
  /// ```swift
  /// LineFraming().map { $0.uppercased() }
  /// ```
  ///
  /// - Parameter inbound: Makes a value of a frame. If it throws, the decoder fails; see ``MappedFraming``.
  @inlinable
  public func map<Value: Sendable>(
    _ inbound: @escaping @Sendable (Decoder.Frame) throws -> Value
  ) -> MappedFraming<Self, Value, Encoder.Frame> {
    MappedFraming(base: self, inbound: inbound, outbound: { $0 })
  }

  /// The same frames, made into other values as they come, and out of other values as they go.
  ///
  /// ```swift
  /// LengthPrefixFraming(.uint32).map({ try inflate($0) }, outbound: { deflate($0) })
  /// ```
  ///
  /// - Parameters:
  ///   - inbound: Makes a value of a frame. If it throws, the decoder fails.
  ///   - outbound: Makes a frame of a value. If it throws, nothing is sent.
  @inlinable
  public func map<Value: Sendable, Sent: Sendable>(
    _ inbound: @escaping @Sendable (Decoder.Frame) throws -> Value,
    outbound: @escaping @Sendable (Sent) throws -> Encoder.Frame
  ) -> MappedFraming<Self, Value, Sent> {
    MappedFraming(base: self, inbound: inbound, outbound: outbound)
  }

  /// The same frames, made into other values, without those that become `nil`. What is sent stays as it is.
  ///
  /// - Parameter inbound: Makes a value of a frame, or `nil` to leave it out.
  @inlinable
  public func compactMap<Value: Sendable>(
    _ inbound: @escaping @Sendable (Decoder.Frame) throws -> Value?
  ) -> MappedFraming<Self, Value, Encoder.Frame> {
    MappedFraming(base: self, inbound: inbound, outbound: { $0 })
  }

  /// The same frames without those that don't count. What is sent stays as it is.
  ///
  /// - Parameter inbound: Whether a frame is delivered.
  @inlinable
  public func filter(
    _ inbound: @escaping @Sendable (Decoder.Frame) throws -> Bool
  ) -> MappedFraming<Self, Decoder.Frame, Encoder.Frame> {
    filter(inbound, outbound: { _ in true })
  }

  /// The same frames without those that don't count, in either direction.
  ///
  /// - Parameters:
  ///   - inbound: Whether a frame is delivered.
  ///   - outbound: Whether a frame is sent; sending one that isn't does nothing.
  @inlinable
  public func filter(
    _ inbound: @escaping @Sendable (Decoder.Frame) throws -> Bool,
    outbound: @escaping @Sendable (Encoder.Frame) throws -> Bool
  ) -> MappedFraming<Self, Decoder.Frame, Encoder.Frame> {
    MappedFraming(
      base: self, inbound: { try inbound($0) ? $0 : nil }, outbound: { try outbound($0) ? $0 : nil })
  }
}
