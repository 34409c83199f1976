/// Bytes that have been written and not yet read.
struct MemoryStream {
  private var bytes: [UInt8] = []
  private var start = 0

  var count: Int { bytes.count - start }

  mutating func append(_ new: RawSpan, count: Int) {
    unsafe new.withUnsafeBytes { unsafe bytes.append(contentsOf: $0.prefix(count)) }
  }

  /// Moves what there is into the buffer, as much as it holds.
  mutating func take(into buffer: inout MutableRawSpan) -> Int {
    let count = min(count, buffer.byteCount)
    guard count > 0 else { return 0 }
    unsafe buffer.withUnsafeMutableBytes { target in
      unsafe bytes.withUnsafeBytes { source in
        unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[start..<(start + count)]))
      }
    }
    start += count
    // Moving the rest costs as much as has been taken by then, and no more.
    if start * 2 >= bytes.count {
      bytes.removeFirst(start)
      start = 0
    }
    return count
  }
}
