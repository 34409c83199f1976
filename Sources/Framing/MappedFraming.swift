/// The frames of another framing, made into other values or left out; made by `map`, `compactMap`, `filter` and
/// `messages`.
///
/// A frame that is left out is followed by a look at the next one, so none that has arrived waits for more bytes.
public struct MappedFraming<Base: Framing, Inbound: Sendable, Outbound: Sendable>: Framing {
  @usableFromInline let base: Base
  @usableFromInline let inbound: @Sendable (Base.Decoder.Frame) throws -> Inbound?
  @usableFromInline let outbound: @Sendable (Outbound) throws -> Base.Encoder.Frame?

  @inlinable
  init(
    base: Base, inbound: @escaping @Sendable (Base.Decoder.Frame) throws -> Inbound?,
    outbound: @escaping @Sendable (Outbound) throws -> Base.Encoder.Frame?
  ) {
    self.base = base
    self.inbound = inbound
    self.outbound = outbound
  }

  /// A decoder that transforms what the one underneath makes.
  public func makeDecoder() -> FailStopDecoder<Parser> {
    FailStopDecoder(Parser(base: base.makeDecoder(), transform: inbound))
  }

  /// An encoder that transforms what the one underneath takes.
  public func makeEncoder() -> Encoder { Encoder(base: base.makeEncoder(), transform: outbound) }

  /// Transforms the frames of another decoder.
  public struct Parser: FrameDecoder {
    fileprivate var base: Base.Decoder
    fileprivate let transform: @Sendable (Base.Decoder.Frame) throws -> Inbound?

    /// The next value; `nil` if none is whole yet.
    ///
    /// - Throws: What the decoder underneath does; what the transformation throws, as it is if that is a
    ///   ``FramingError``, and else as ``FramingError/malformed(_:offset:)``.
    public mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> Inbound? {
      while true {
        let start = buffer.offset
        guard let frame = try base.decode(&buffer) else { return nil }
        if let value = try value(of: frame, at: buffer.frameStart(since: start)) { return value }
        buffer.discard(0)
      }
    }

    /// What the decoder underneath makes of the end of the stream, transformed as well.
    public mutating func finish(_ buffer: inout ReceiveBuffer) throws(FramingError) -> Inbound? {
      while true {
        let start = buffer.offset
        guard let frame = try base.finish(&buffer) else { return nil }
        if let value = try value(of: frame, at: buffer.frameStart(since: start)) { return value }
        buffer.discard(0)
      }
    }

    /// What the decoder underneath says.
    public func isMidFrame(_ buffer: borrowing ReceiveBuffer) -> Bool { base.isMidFrame(buffer) }

    private func value(of frame: Base.Decoder.Frame, at offset: UInt64) throws(FramingError) -> Inbound? {
      do {
        return try transform(frame)
      } catch let error as FramingError {
        throw error
      } catch {
        throw .malformed("\(error)", offset: offset)
      }
    }
  }

  /// Transforms frames for another encoder.
  public struct Encoder: FrameEncoder {
    fileprivate var base: Base.Encoder
    fileprivate let transform: @Sendable (Outbound) throws -> Base.Encoder.Frame?

    /// Appends the frame that the value becomes, or nothing if it is left out.
    ///
    /// - Throws: What the encoder underneath does; what the transformation throws, as it is if that is a
    ///   ``FramingError``, and else as ``FramingError/unencodable(_:)``.
    public mutating func encode(_ value: Outbound, into output: inout [UInt8]) throws(FramingError) {
      let frame: Base.Encoder.Frame?
      do {
        frame = try transform(value)
      } catch let error as FramingError {
        throw error
      } catch {
        throw .unencodable("\(error)")
      }
      if let frame { try base.encode(frame, into: &output) }
    }
  }
}
