import Framing

/// The bytes that arrive on a connection, in chunks as they come.
///
/// The sequence ends (`nil`) with the peer's stream and throws what broke it otherwise. Leaving the loop loses
/// nothing: whoever reads next goes on where it stopped.
public struct InboundChunks: AsyncSequence, Sendable {
  /// A chunk: at least one byte, at most 64 KiB.
  public typealias Element = [UInt8]

  let connection: Connection

  @usableFromInline static var largest: Int { ScratchBuffer.size }

  /// An iterator; two that are used at the same time are told `SocketError.busy`.
  public func makeAsyncIterator() -> Iterator { Iterator(core: connection.core, connection: connection) }

  /// Reads one chunk at a time.
  public struct Iterator: AsyncIteratorProtocol {
    @usableFromInline let core: ConnectionCore
    /// Keeps the handle alive.
    let connection: Connection

    /// The next chunk, or `nil` at the end.
    @inlinable @inline(__always)
    public mutating func next(
      isolation actor: (any Actor)? = #isolation
    ) async throws(any Error) -> [UInt8]? {
      // The parameter is not `isolated`, as the protocol has it: without, the function runs where its caller does all
      // the same, and nobody asks twice for each chunk which executor that is.
      try await core.readChunk(atMost: InboundChunks.largest, deadline: .never)
    }
  }
}
