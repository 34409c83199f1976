import Framing

/// The frames that arrive on a connection.
///
/// The sequence ends (`nil`) with the peer's stream, after a last unfinished frame if the codec allows one, and
/// throws what broke it otherwise. Leaving the loop loses nothing.
public struct InboundFrames<F: Framing>: AsyncSequence, Sendable {
  /// The decoder's frame.
  public typealias Element = F.Decoder.Frame

  @usableFromInline let connection: FramedConnection<F>

  @inlinable
  init(connection: FramedConnection<F>) { self.connection = connection }

  /// An iterator; two that are used at the same time are told `SocketError.busy`.
  @inlinable
  public func makeAsyncIterator() -> Iterator { Iterator(connection: connection) }

  /// Reads one frame at a time.
  public struct Iterator: AsyncIteratorProtocol {
    @usableFromInline let connection: FramedConnection<F>

    @inlinable
    init(connection: FramedConnection<F>) { self.connection = connection }

    /// The next frame, or `nil` at the end.
    @inlinable @inline(__always)
    public mutating func next(
      isolation actor: (any Actor)? = #isolation
    ) async throws(any Error) -> Element? {
      // The parameter is not `isolated`, as the protocol has it: without, the function runs where its caller does all
      // the same, and nobody asks twice for each frame which executor that is.
      try await connection.next()
    }
  }
}
