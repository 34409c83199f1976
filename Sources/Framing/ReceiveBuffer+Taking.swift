extension ReceiveBuffer {
  /// A copy of all the bytes, which stay where they are.
  public var pending: [UInt8] {
    looked(at: count)
    return head == 0 ? storage : Array(storage[head...])
  }

  /// A copy of the first `n` bytes, or of all if there are fewer, which stay where they are.
  public func prefix(_ n: Int) -> [UInt8] { bytes(count: n) }

  /// A copy of some bytes, which stay where they are.
  ///
  /// - Parameters:
  ///   - start: The distance of the first one from the front.
  ///   - count: How many bytes; at most all that follow.
  public func bytes(from start: Int = 0, count: Int) -> [UInt8] {
    let bounds = bounds(from: start, count: count)
    looked(at: bounds.count)
    return Array(storage[bounds])
  }

  /// Takes the first `n` bytes, or all if there are fewer.
  public mutating func takePrefix(_ n: Int) -> [UInt8] {
    guard n < count else { return takeAll() }
    let n = max(0, n)
    // Not a slice of the storage, which would count references.
    let bytes = unsafe storage.withUnsafeBufferPointer {
      unsafe [UInt8](UnsafeBufferPointer(rebasing: $0[head..<(head + n)]))
    }
    consume(n)
    return bytes
  }

  /// Takes all the bytes. Hands over the memory itself where that wastes little of it.
  public mutating func takeAll() -> [UInt8] {
    let count = count
    looked(at: count)
    // A short frame that drags a large block along would keep it from being used again.
    guard head == 0, storage.capacity / 2 <= count else {
      var bytes: [UInt8] = []
      bytes.reserveCapacity(count)
      bytes.append(contentsOf: storage[head...])
      consume(count)
      return bytes
    }
    consume(count)
    head = 0
    var bytes: [UInt8] = []
    swap(&bytes, &storage)
    return bytes
  }

  /// A copy of some bytes as text, which stay where they are; `nil` if they are not UTF-8.
  ///
  /// - Parameters:
  ///   - start: The distance of the first one from the front.
  ///   - count: How many bytes; at most all that follow.
  public func string(from start: Int = 0, count: Int) -> String? {
    try? text(from: start, count: count)
  }

  /// Takes the first `n` bytes, or all if there are fewer, as text.
  ///
  /// - Throws: ``FramingError/invalidUTF8(offset:)`` with the place of the first bytes that are not UTF-8;
  ///   nothing is taken then.
  public mutating func takeString(_ n: Int) throws(FramingError) -> String {
    let text = try text(from: 0, count: n)
    consume(n)
    return text
  }

  private func text(from start: Int, count: Int) throws(FramingError) -> String {
    let bounds = bounds(from: start, count: count)
    looked(at: bounds.count)
    do throws(UTF8.ValidationError) {
      return String(copying: try UTF8Span(validating: storage.span.extracting(bounds)))
    } catch {
      throw .invalidUTF8(offset: offset + UInt64(bounds.lowerBound - head + error.byteOffsets.lowerBound))
    }
  }

  /// Indices into `storage`, brought inside what there is.
  private func bounds(from start: Int, count: Int) -> Range<Int> {
    let start = Swift.max(0, Swift.min(start, self.count))
    let count = Swift.max(0, Swift.min(count, self.count - start))
    return (head + start)..<(head + start + count)
  }
}
