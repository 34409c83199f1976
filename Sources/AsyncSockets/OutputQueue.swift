/// Bytes that were accepted and have not reached the kernel yet.
///
/// A message that is queued alone stays as it came, so that an echo copies nothing. Others are copied together,
/// into memory that is given back when the last byte has left.
@safe
struct OutputQueue: ~Copyable {
  /// The largest block that malloc hands out without looking for it.
  private static let firstCapacity = 1024

  private var message: [UInt8] = []
  /// In use instead of the message if there is any.
  private var memory = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
  /// What is queued lies between these two, in the message or in the memory.
  private var head = 0
  private var end = 0
  /// Bytes accepted since the beginning.
  private(set) var accepted: UInt64 = 0

  deinit { unsafe memory.deallocate() }

  @inline(__always)
  var count: Int { end &- head }

  @inline(__always)
  var isEmpty: Bool { end == head }

  /// Bytes that have left since the beginning.
  var written: UInt64 { accepted - UInt64(count) }

  /// How many bytes there is memory for.
  var capacity: Int { unsafe message.capacity + memory.count }

  @inline(__always)
  mutating func append(_ new: [UInt8]) {
    guard isEmpty else { return unsafe new.withUnsafeBytes { unsafe append($0) } }
    message = new
    end = new.count
    accepted &+= UInt64(new.count)
  }

  mutating func append(_ new: UnsafeRawBufferPointer) {
    if unsafe end + new.count > memory.count { makeRoom(for: new.count) }
    unsafe UnsafeMutableRawBufferPointer(rebasing: memory[end...]).copyMemory(from: new)
    end &+= new.count
    accepted &+= UInt64(new.count)
  }

  /// Moves what is queued to the front of the memory, or of a larger one.
  @inline(never)
  private mutating func makeRoom(for size: Int) {
    let count = count
    // Amortised: no byte is moved more often than others have left.
    if unsafe count + size <= memory.count, count <= head {
      unsafe memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[head..<end]))
    } else {
      let capacity = unsafe max(Self.firstCapacity, count + size, 2 * memory.count)
      let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 1)
      unsafe withUnsent { unsafe larger.copyMemory(from: $0) }
      unsafe memory.deallocate()
      unsafe memory = larger
      message = []
    }
    head = 0
    end = count
  }

  @inline(__always)
  borrowing func withUnsent<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    if unsafe memory.count > 0 {
      return unsafe body(UnsafeRawBufferPointer(rebasing: memory[head..<end]))
    }
    return unsafe message.withUnsafeBytes { unsafe body(UnsafeRawBufferPointer(rebasing: $0[head..<end])) }
  }

  /// Bytes that went straight to the kernel without being queued.
  mutating func passThrough(_ count: Int) { accepted &+= UInt64(count) }

  /// The first bytes have left; memory is given back with the last.
  @inline(__always)
  mutating func consume(_ count: Int) {
    head += count
    if head == end { reset() }
  }

  mutating func discard() {
    accepted -= UInt64(count)
    reset()
  }

  @inline(__always)
  private mutating func reset() {
    head = 0
    end = 0
    message = []
    guard unsafe memory.count > 0 else { return }
    unsafe memory.deallocate()
    unsafe memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  }
}
