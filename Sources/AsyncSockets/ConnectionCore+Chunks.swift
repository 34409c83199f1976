import Framing

extension ConnectionCore {
  @inlinable @inline(__always)
  func readChunk(atMost limit: Int, deadline: Deadline) async throws -> [UInt8]? {
    let deadline = try beginReading(deadline: deadline, operation: "read")
    defer { endReading() }
    while true {
      var chunk: [UInt8] = []
      switch try takeChunk(atMost: limit, &chunk) {
      case .bytes: return chunk
      case .end, .drained: return nil
      case .yield: try await yieldTurn(deadline: deadline, operation: "read")
      case .wouldBlock: try await waitReadable(deadline: deadline, operation: "read")
      }
    }
  }

  @inline(never) @usableFromInline
  func takeChunk(atMost limit: Int, _ chunk: inout [UInt8]) throws(SocketError) -> ReadStep {
    guard limit > 0 else { throw .invalid("a read needs a limit of at least 1 byte, not \(limit)") }
    reading.contents.message = .none
    if !reading.contents.buffer.isEmpty {
      chunk = reading.contents.buffer.takePrefix(min(limit, reading.contents.buffer.count))
      return .bytes(chunk.count)
    }
    return try unsafe receive(atMost: limit) { unsafe chunk = [UInt8]($0) }
  }

  func read(into buffer: inout MutableRawSpan, deadline: Deadline) async throws -> Int {
    let deadline = try beginReading(deadline: deadline, operation: "read")
    defer { reading.release() }
    while true {
      switch try takeBytes(&buffer) {
      case .bytes(let count): return count
      case .end, .drained: return 0
      case .yield: try await yieldTurn(deadline: deadline, operation: "read")
      case .wouldBlock: try await waitReadable(deadline: deadline, operation: "read")
      }
    }
  }

  @inline(never)
  private func takeBytes(_ buffer: inout MutableRawSpan) throws(SocketError) -> ReadStep {
    guard !buffer.isEmpty else { throw .invalid("a read needs a buffer of at least 1 byte") }
    reading.contents.message = .none
    if !reading.contents.buffer.isEmpty {
      let bytes = reading.contents.buffer.takePrefix(min(buffer.byteCount, reading.contents.buffer.count))
      for (index, byte) in bytes.enumerated() {
        buffer.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
      }
      return .bytes(bytes.count)
    }
    return try unsafe buffer.withUnsafeMutableBytes { bytes throws(SocketError) in
      try unsafe receive(into: bytes, finishingFrame: false)
    }
  }
}
