import Framing

/// The bytes that arrive on a connection, in chunks as they come.
///
/// The sequence ends (`nil`) with the peer's stream and throws what broke it otherwise. Leaving the loop loses
/// nothing: whoever reads next goes on where it stopped.
public struct InboundChunks: AsyncSequence, Sendable {
  /// A chunk: at least one byte, at most 64 KiB.
  public typealias Element = [UInt8]

  let connection: Connection

  /// An iterator; two that are used at the same time are told `SocketError.busy`.
  public func makeAsyncIterator() -> Iterator { Iterator(core: connection.core, connection: connection) }

  /// Reads one chunk at a time.
  public struct Iterator: AsyncIteratorProtocol {
    let core: ConnectionCore
    /// Keeps the handle alive.
    let connection: Connection

    /// The next chunk, or `nil` at the end.
    public mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(any Error) -> [UInt8]? {
      try await core.readChunk(atMost: ScratchBuffer.size, deadline: .never)
    }
  }
}
