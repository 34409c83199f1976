import Framing

/// The frames that arrive on a connection.
///
/// The sequence ends (`nil`) with the peer's stream, after a last unfinished frame if the codec allows one, and
/// throws what broke it otherwise. Leaving the loop loses nothing.
public struct InboundFrames<F: Framing>: AsyncSequence, Sendable {
  /// The decoder's frame.
  public typealias Element = F.Decoder.Frame

  let connection: FramedConnection<F>

  /// An iterator; two that are used at the same time are told `SocketError.busy`.
  public func makeAsyncIterator() -> Iterator { Iterator(connection: connection) }

  /// Reads one frame at a time.
  public struct Iterator: AsyncIteratorProtocol {
    let connection: FramedConnection<F>

    /// The next frame, or `nil` at the end.
    public mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(any Error) -> Element? {
      try await connection.next()
    }
  }
}
