/// Finds the first place where one of several sequences of bytes stands, and the longest of them that does.
///
/// At each place that begins like one, the sequences are compared one after another; they are few and short.
struct AlternativesSearch: Sendable {
  /// The longest first.
  private let alternatives: [[UInt8]]
  private let isFirst: [Bool]

  /// How many bytes at the end of those held are the beginning of a sequence, or one that could be longer.
  private(set) var undecided = 0

  /// - Parameter alternatives: What to find; each at least one byte.
  init(_ alternatives: [[UInt8]]) {
    var isFirst = [Bool](repeating: false, count: 256)
    for byte in alternatives.compactMap(\.first) { isFirst[Int(byte)] = true }
    self.isFirst = isFirst
    self.alternatives = alternatives.sorted { $0.count > $1.count }
  }

  /// Goes on where the last search of this buffer stopped.
  mutating func next(in buffer: inout ReceiveBuffer, isLast: Bool) -> Range<Int>? {
    undecided = 0
    for start in buffer.searched..<buffer.count where isFirst[Int(buffer[start])] {
      let (length, couldGrow) = match(buffer, at: start)
      if couldGrow, !isLast {
        undecided = buffer.count - start
        buffer.searched = start
        return nil
      }
      if let length { return start..<(start + length) }
    }
    buffer.searched = buffer.count
    return nil
  }

  private func match(
    _ buffer: borrowing ReceiveBuffer, at start: Int
  ) -> (length: Int?, couldGrow: Bool) {
    var couldGrow = false
    for alternative in alternatives {
      let available = Swift.min(alternative.count, buffer.count - start)
      var index = 0
      while index < available, buffer[start + index] == alternative[index] { index += 1 }
      guard index == available else { continue }
      if available == alternative.count { return (available, couldGrow) }
      couldGrow = true
    }
    return (nil, couldGrow)
  }
}
