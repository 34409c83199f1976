/// Finds a fixed sequence of bytes, and looks at each byte once however they are cut into reads.
struct LiteralSearch: Sendable {
  private let pattern: [UInt8]
  /// For each length of a partial match, the length of the longest shorter one that ends in the same place
  /// (Knuth, Morris and Pratt).
  private let fallback: [Int]

  /// How many bytes at the end of those searched are the beginning of the pattern.
  private(set) var matched = 0

  /// - Parameter pattern: What to find; at least one byte.
  init(_ pattern: [UInt8]) {
    self.pattern = pattern
    var fallback = [0, 0]
    var length = 0
    for byte in pattern.dropFirst() {
      while length > 0 && pattern[length] != byte { length = fallback[length] }
      if pattern[length] == byte { length += 1 }
      fallback.append(length)
    }
    self.fallback = fallback
  }

  /// Goes on where the last search of this buffer stopped.
  ///
  /// - Returns: Where the pattern is, in distances from the front, or `nil` once all has been searched.
  mutating func next(in buffer: inout ReceiveBuffer) -> Range<Int>? {
    var index = buffer.searched
    // Somebody else has consumed bytes, or this is another buffer.
    if index < matched { matched = 0 }
    let count = buffer.count
    while true {
      if matched == pattern.count {
        matched = 0
        return (index - pattern.count)..<index
      }
      if matched == 0 {
        guard let hit = buffer.firstIndex(of: pattern[0], from: index) else { break }
        index = hit + 1
        matched = 1
      } else {
        guard index < count else { break }
        let byte = buffer[index]
        while matched > 0 && pattern[matched] != byte { matched = fallback[matched] }
        if pattern[matched] == byte { matched += 1 }
        index += 1
      }
    }
    buffer.searched = count
    return nil
  }
}
