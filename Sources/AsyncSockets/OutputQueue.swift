/// Bytes that were accepted and have not reached the kernel yet.
struct OutputQueue {
  private var bytes: [UInt8] = []
  private var head = 0
  /// Bytes accepted since the beginning.
  private(set) var accepted: UInt64 = 0

  var count: Int { bytes.count - head }
  var isEmpty: Bool { count == 0 }

  /// Bytes that have left since the beginning.
  var written: UInt64 { accepted - UInt64(count) }

  @inline(__always)
  mutating func append(_ new: UnsafeRawBufferPointer) {
    unsafe bytes.append(contentsOf: new)
    accepted += UInt64(new.count)
  }

  /// Keeps the array itself when nothing is queued: an echo then copies nothing.
  @inline(__always)
  mutating func append(_ new: [UInt8]) {
    if bytes.isEmpty {
      bytes = new
    } else {
      bytes.append(contentsOf: new)
    }
    accepted += UInt64(new.count)
  }

  @inline(__always)
  borrowing func withUnsent<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    unsafe bytes.withUnsafeBytes { unsafe body(UnsafeRawBufferPointer(rebasing: $0[head...])) }
  }

  /// Bytes that went straight to the kernel without being queued.
  mutating func passThrough(_ count: Int) { accepted += UInt64(count) }

  /// The first bytes have left; memory is given back with the last.
  @inline(__always)
  mutating func consume(_ count: Int) {
    head += count
    if head == bytes.count {
      bytes = []
      head = 0
    } else if head > bytes.count / 2 {
      // Amortised: each byte is moved at most once for each byte that has left.
      bytes.removeSubrange(0..<head)
      head = 0
    }
  }

  mutating func discard() {
    accepted -= UInt64(count)
    bytes = []
    head = 0
  }
}
