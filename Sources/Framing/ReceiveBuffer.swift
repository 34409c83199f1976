/// The bytes that have been received and not yet been decoded.
///
/// Bytes join at the end and leave at the front. Consuming only moves an index: the bytes behind it are given
/// up when room is needed and they are at least as many as those that would have to move, so that any mix of
/// appending and consuming takes linear time.
public struct ReceiveBuffer: Sendable {
  @usableFromInline var storage: [UInt8]
  /// The index in `storage` of the first byte that has not been consumed.
  @usableFromInline package var head = 0
  @usableFromInline var examined = 0
  @usableFromInline var consumed: UInt64 = 0
  /// The place in the stream after the last byte that belonged to no frame.
  var fillerEnd: UInt64 = 0
  #if DEBUG
    @usableFromInline package var lookCounter: LookCounter?
  #endif

  /// An empty buffer, which owns no memory.
  public init() {
    storage = []
  }

  /// A buffer that holds the given bytes, the first of them at offset 0 of the stream.
  public init(_ bytes: [UInt8]) {
    storage = bytes
  }

  /// How many bytes there are.
  @inlinable
  public var count: Int { storage.count &- head }

  /// Whether there are none.
  @inlinable
  public var isEmpty: Bool { head == storage.count }

  /// The place of the front in the stream: how many bytes have been consumed so far.
  @inlinable
  public var offset: UInt64 { consumed }

  /// How many bytes at the front a codec has looked at in vain, and need not look at again. 0 at first, and
  /// again whenever bytes are consumed.
  ///
  /// A codec sets it before it asks for more bytes, which keeps a frame that comes byte by byte linear. Values
  /// outside `0...count` are brought inside.
  @inlinable
  public var searched: Int {
    get { examined }
    set { examined = Swift.max(0, Swift.min(newValue, count)) }
  }

  /// The byte at a distance from the front, which must be in `0..<count`, as for an array.
  @inlinable
  public subscript(index: Int) -> UInt8 {
    precondition(index >= 0, "ReceiveBuffer index is negative")
    looked(at: 1)
    return storage[head + index]
  }

  /// Forgets how far a codec has searched; for when another codec takes over.
  @inlinable
  public mutating func forgetSearch() {
    examined = 0
  }

  /// Drops bytes from the front.
  ///
  /// - Parameter n: How many; at most all of them.
  @inlinable
  public mutating func consume(_ n: Int) {
    let n = Swift.max(0, Swift.min(n, count))
    guard n > 0 else { return }
    head &+= n
    examined = 0
    consumed &+= UInt64(truncatingIfNeeded: n)
  }

  /// Whatever reads bytes says how many; see ``LookCounter``. Nothing at all in release builds.
  @inlinable @inline(__always)
  func looked(at n: @autoclosure () -> Int) {
    #if DEBUG
      lookCounter?.add(n())
    #endif
  }
}

// MARK: - Appending

extension ReceiveBuffer {
  /// Adds bytes at the end.
  public mutating func append(contentsOf bytes: [UInt8]) {
    makeRoom(for: bytes.count)
    storage.append(contentsOf: bytes)
  }

  /// Adds bytes at the end.
  public mutating func append(contentsOf bytes: ArraySlice<UInt8>) {
    makeRoom(for: bytes.count)
    storage.append(contentsOf: bytes)
  }

  /// Adds a copy of memory at the end.
  ///
  /// - Parameter bytes: Memory that is valid and initialized for the length of the call.
  @unsafe
  public mutating func append(copying bytes: UnsafeRawBufferPointer) {
    // An array grows at three times the cost of a new one.
    guard !isEmpty || storage.capacity >= bytes.count else {
      storage = unsafe [UInt8](bytes)
      head = 0
      return
    }
    makeRoom(for: bytes.count)
    unsafe bytes.withMemoryRebound(to: UInt8.self) { unsafe storage.append(contentsOf: $0) }
  }

  /// Gives the memory back if there are no bytes in it.
  ///
  /// - Parameter size: Memory of at most this many bytes is kept; none unless given.
  public mutating func releaseStorage(above size: Int = 0) {
    guard isEmpty, storage.capacity > size else { return }
    storage = []
    head = 0
  }

  private mutating func makeRoom(for n: Int) {
    guard head > 0 else { return }
    let mustGrow = storage.capacity - storage.count < n
    guard isEmpty || (mustGrow && count <= head) else { return }
    storage.removeSubrange(..<head)
    head = 0
  }
}

// MARK: - Searching

extension ReceiveBuffer {
  /// The distance from the front of the first byte that equals the given one, or `nil`.
  ///
  /// - Parameters:
  ///   - byte: What to look for.
  ///   - start: The distance from the front at which to begin; the front if left out.
  public func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
    let pattern = Self.everyByte &* UInt64(byte)
    let block = Block(repeating: byte)
    let found = firstIndex(from: start) {
      $0 .== block
    } marking: {
      Self.zeroBytes($0 ^ pattern)
    }
    looked(at: (found ?? count) &- start)
    return found
  }

  /// The distance from the front of the first byte that equals either of two, or `nil`.
  ///
  /// - Parameters:
  ///   - first: One byte to look for.
  ///   - second: The other one.
  ///   - start: The distance from the front at which to begin; the front if left out.
  public func firstIndex(of first: UInt8, or second: UInt8, from start: Int = 0) -> Int? {
    let one = Self.everyByte &* UInt64(first)
    let other = Self.everyByte &* UInt64(second)
    let (ones, others) = (Block(repeating: first), Block(repeating: second))
    let found = firstIndex(from: start) {
      ($0 .== ones) .| ($0 .== others)
    } marking: {
      Self.zeroBytes($0 ^ one) | Self.zeroBytes($0 ^ other)
    }
    looked(at: (found ?? count) &- start)
    return found
  }

  private static let everyByte: UInt64 = 0x0101_0101_0101_0101

  /// The high bit of each byte that is 0. Above the lowest of them there may be false ones.
  @inline(__always)
  private static func zeroBytes(_ word: UInt64) -> UInt64 {
    (word &- everyByte) & ~word & (everyByte << 7)
  }

  private typealias Block = SIMD32<UInt8>

  /// Many bytes at a time, since a loop that leaves early is not vectorised: 32, and 8 where fewer are left.
  @inline(__always)
  private func firstIndex(
    from start: Int, matching: (Block) -> SIMDMask<SIMD32<Int8>>, marking hits: (UInt64) -> UInt64
  ) -> Int? {
    let bytes = unsafe storage.span.bytes
    let end = bytes.byteCount
    var index = Swift.min(head &+ Swift.max(0, Swift.min(start, count)), end)
    while end &- index >= 32 {
      let block = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: Block.self)
      let words = unsafe unsafeBitCast(matching(block), to: SIMD4<UInt64>.self)
      if words.x | words.y | words.z | words.w == 0 {
        index &+= 32
        continue
      }
      // The first word with a mark, and in it the first byte.
      let (word, distance) =
        words.x != 0
        ? (words.x, 0) : words.y != 0 ? (words.y, 8) : words.z != 0 ? (words.z, 16) : (words.w, 24)
      let bits = UInt64(littleEndian: word).trailingZeroBitCount
      return index &- head &+ distance &+ (bits &>> 3)
    }
    while end &- index >= 8 {
      let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
      let marks = hits(UInt64(littleEndian: word))
      if marks != 0 { return index &- head &+ (marks.trailingZeroBitCount &>> 3) }
      index &+= 8
    }
    while index < end {
      let byte = UInt64(unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self))
      if hits(byte) & 0x80 != 0 { return index &- head }
      index &+= 1
    }
    return nil
  }
}
