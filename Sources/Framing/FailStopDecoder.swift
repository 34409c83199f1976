/// A decoder that has failed once and throws the same error from then on, whatever comes.
///
/// What follows a bad frame can't be trusted: its beginning may have been chosen by whoever sent the bad one. The
/// decoders of this module are made with it, and it saves a decoder of one's own from remembering its errors:
///
/// ```swift
/// func makeDecoder() -> FailStopDecoder<Parser> { FailStopDecoder(Parser()) }
/// ```
public struct FailStopDecoder<Base: FrameDecoder>: FrameDecoder {
  @usableFromInline var decoder: Base
  @usableFromInline var failure: FramingError?

  /// The decoder that does the work.
  public var base: Base { decoder }

  /// Makes the errors of a decoder final.
  public init(_ base: Base) {
    decoder = base
  }

  /// The next frame of the decoder underneath; `nil` if it needs more bytes.
  @inlinable
  public mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> Base.Frame? {
    if let failure { throw failure }
    do throws(FramingError) {
      return try decoder.decode(&buffer)
    } catch {
      failure = error
      throw error
    }
  }

  /// What the decoder underneath makes of the end of the stream.
  @inlinable
  public mutating func finish(_ buffer: inout ReceiveBuffer) throws(FramingError) -> Base.Frame? {
    if let failure { throw failure }
    do throws(FramingError) {
      return try decoder.finish(&buffer)
    } catch {
      failure = error
      throw error
    }
  }

  /// What the decoder underneath says.
  @inlinable
  public func isMidFrame(_ buffer: borrowing ReceiveBuffer) -> Bool {
    decoder.isMidFrame(buffer)
  }
}
