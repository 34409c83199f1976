extension ConnectionCore {
  /// So many parts are worth passing on one by one; more of them are copied together.
  private static let mostParts = 64

  /// Accepts the bytes of all parts whole, or none of them.
  func trySend(gathering parts: [[UInt8]], holdsTurn: Bool) throws(SocketError) -> SendStep {
    guard parts.count <= Self.mostParts else {
      return try trySend(parts.reduce(into: []) { $0 += $1 }, holdsTurn: holdsTurn)
    }
    return try offer(count: parts.reduce(0) { $0 + $1.count }, holdsTurn: holdsTurn) { output, start in
      var sent = start
      for part in parts {
        let skipped = min(sent, part.count)
        sent -= skipped
        if skipped == part.count { continue }
        unsafe part.withUnsafeBytes { unsafe output.append(UnsafeRawBufferPointer(rebasing: $0[skipped...])) }
      }
    } write: { state throws(SocketError) in
      try write(parts.filter { !$0.isEmpty }[...], &state)
    }
  }

  /// Writes until the transport takes less than it was given; answers how many bytes have left.
  private func write(
    _ parts: ArraySlice<[UInt8]>, _ state: inout ConnectionState
  ) throws(SocketError) -> Int {
    if state.endpoint.isSocket {
      var pointers: [UnsafeRawBufferPointer] = unsafe []
      let result = unsafe withPointers(to: parts, &pointers) {
        unsafe state.endpoint.write(gathering: $0, kernel: core.kernel)
      }
      return try noteWritten(result, of: parts.reduce(0) { $0 + $1.count }, &state)
    }
    var written = 0
    for part in parts {
      let result = unsafe part.withUnsafeBytes { unsafe state.endpoint.write($0, loop: core) }
      let count = try noteWritten(result, of: part.count, &state)
      written += count
      if count < part.count { break }
    }
    return written
  }

  /// All arrays are held at once, one call inside the other.
  private func withPointers<Result>(
    to parts: ArraySlice<[UInt8]>, _ pointers: inout [UnsafeRawBufferPointer],
    _ body: ([UnsafeRawBufferPointer]) -> Result
  ) -> Result {
    guard let part = parts.first else { return unsafe body(pointers) }
    return unsafe part.withUnsafeBytes {
      unsafe pointers.append($0)
      return unsafe withPointers(to: parts.dropFirst(), &pointers, body)
    }
  }
}
