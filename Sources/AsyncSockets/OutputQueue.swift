import Glibc

/// Bytes that were accepted and have not reached the kernel yet.
///
/// A message that is queued alone stays as it came, so that an echo copies nothing. Others are copied together,
/// into memory that is given back when the last byte has left.
@safe
struct OutputQueue: ~Copyable {
  /// What malloc gives: the runtime's own bare memory is aligned for anything, at four times the cost.
  @safe
  struct Memory {
    /// With the capacity before it, the largest block that malloc hands out without looking for it.
    static let firstCapacity = 1024

    private let block: UnsafeMutableRawPointer

    fileprivate init(capacity: Int) {
      guard let block = unsafe malloc(MemoryLayout<Int>.size + capacity) else { fatalError("out of memory") }
      unsafe block.storeBytes(of: capacity, as: Int.self)
      unsafe self.block = block
    }

    @inline(__always)
    fileprivate var capacity: Int { unsafe block.load(as: Int.self) }

    @inline(__always)
    fileprivate var bytes: UnsafeMutableRawPointer { unsafe block + MemoryLayout<Int>.size }

    func deallocate() { unsafe free(block) }
  }

  private var message: [UInt8] = []
  /// In use instead of the message if there is any.
  private var memory: Memory?
  /// What is queued lies between these two, in the message or in the memory.
  private var head = 0
  private var end = 0
  /// Bytes accepted since the beginning.
  private(set) var accepted: UInt64 = 0
  /// Accepted, and discarded before they could leave.
  private var lost: UInt64 = 0

  deinit { memory?.deallocate() }

  @inline(__always)
  var count: Int { end &- head }

  @inline(__always)
  var isEmpty: Bool { end == head }

  /// Bytes that have left since the beginning.
  var written: UInt64 { accepted &- lost &- UInt64(count) }

  /// How many bytes there is memory for.
  var capacity: Int { message.capacity + (memory?.capacity ?? 0) }

  @inline(__always)
  mutating func append(_ new: [UInt8]) {
    guard isEmpty else { return unsafe new.withUnsafeBytes { unsafe append($0) } }
    message = new
    end = new.count
    accepted &+= UInt64(new.count)
  }

  /// - Parameter spare: memory that another queue has given up, which is taken if there is none.
  @inline(__always)
  mutating func append(_ new: UnsafeRawBufferPointer, into spare: inout Memory?) {
    if isEmpty, memory == nil, spare != nil { swap(&memory, &spare) }
    unsafe append(new)
  }

  mutating func append(_ new: UnsafeRawBufferPointer) {
    guard let source = new.baseAddress else { return }
    let memory = roomyMemory(for: new.count) ?? makeRoom(for: new.count)
    unsafe memory.bytes.advanced(by: end).copyMemory(from: source, byteCount: new.count)
    end &+= new.count
    accepted &+= UInt64(new.count)
  }

  @inline(__always)
  private func roomyMemory(for size: Int) -> Memory? {
    guard let memory, end &+ size <= memory.capacity else { return nil }
    return memory
  }

  /// Moves what is queued to the front of the memory, or of a larger one.
  @inline(never)
  private mutating func makeRoom(for size: Int) -> Memory {
    let count = count
    let present = memory?.capacity ?? 0
    // Amortised: no byte is moved more often than others have left.
    let mayStay = count + size <= present && count <= head
    let room = mayStay ? memory : nil
    let target = room ?? Memory(capacity: max(Memory.firstCapacity, count + size, 2 * present))
    unsafe withUnsent { unsent in
      if let start = unsent.baseAddress { unsafe target.bytes.copyMemory(from: start, byteCount: count) }
    }
    if !mayStay { memory?.deallocate() }
    memory = target
    if count > 0 { message = [] }
    head = 0
    end = count
    return target
  }

  @inline(__always)
  borrowing func withUnsent<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    if let memory {
      return unsafe body(UnsafeRawBufferPointer(start: memory.bytes.advanced(by: head), count: count))
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

  /// - Parameter spare: where memory of the usual size goes that is not needed any more.
  @inline(__always)
  mutating func consume(_ count: Int, leaving spare: inout Memory?) {
    guard count == self.count, spare == nil, let memory, memory.capacity == Memory.firstCapacity else {
      return consume(count)
    }
    swap(&self.memory, &spare)
    head = 0
    end = 0
  }

  mutating func discard() {
    lost &+= UInt64(count)
    reset()
  }

  @inline(__always)
  private mutating func reset() {
    head = 0
    end = 0
    if let memory {
      memory.deallocate()
      self.memory = nil
    } else {
      message = []
    }
  }
}
