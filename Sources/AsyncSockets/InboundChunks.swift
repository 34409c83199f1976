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

extension ConnectionCore {
  func readChunk(atMost limit: Int, deadline: Deadline) async throws -> [UInt8]? {
    guard limit > 0 else {
      throw SocketError.invalid("a read needs a limit of at least 1 byte, not \(limit)")
    }
    try reading.claim(for: "read")
    defer { reading.release() }
    let deadline = deadline.instant(now: core.now)
    try checkReadMayBegin(deadline, operation: "read")
    if !reading.contents.buffer.isEmpty {
      return reading.contents.buffer.takePrefix(min(limit, reading.contents.buffer.count))
    }
    while true {
      var chunk: [UInt8] = []
      let step = try unsafe receive(atMost: limit) { unsafe chunk = [UInt8]($0) }
      switch step {
      case .bytes: return chunk
      case .end, .drained: return nil
      case .yield: try await yieldTurn(deadline: deadline, operation: "read")
      case .wouldBlock: try await waitReadable(deadline: deadline, operation: "read")
      }
    }
  }

  func read(into buffer: inout MutableRawSpan, deadline: Deadline) async throws -> Int {
    guard !buffer.isEmpty else { throw SocketError.invalid("a read needs a buffer of at least 1 byte") }
    try reading.claim(for: "read")
    defer { reading.release() }
    let deadline = deadline.instant(now: core.now)
    try checkReadMayBegin(deadline, operation: "read")
    if !reading.contents.buffer.isEmpty {
      let bytes = reading.contents.buffer.takePrefix(min(buffer.byteCount, reading.contents.buffer.count))
      for (index, byte) in bytes.enumerated() {
        buffer.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
      }
      return bytes.count
    }
    while true {
      let step = try unsafe buffer.withUnsafeMutableBytes { bytes throws(SocketError) in
        try unsafe receive(into: bytes, finishingFrame: false)
      }
      switch step {
      case .bytes(let count): return count
      case .end, .drained: return 0
      case .yield: try await yieldTurn(deadline: deadline, operation: "read")
      case .wouldBlock: try await waitReadable(deadline: deadline, operation: "read")
      }
    }
  }
}
