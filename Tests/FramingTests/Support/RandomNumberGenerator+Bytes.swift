extension RandomNumberGenerator {
  /// Bytes drawn from an alphabet.
  mutating func bytes(_ count: Int, from alphabet: [UInt8]) -> [UInt8] {
    (0..<count).map { _ in alphabet.randomElement(using: &self) ?? 0 }
  }

  /// The same bytes, cut into reads at random places.
  mutating func split(_ bytes: [UInt8], upTo longest: Int = 9) -> [ArraySlice<UInt8>] {
    var rest = bytes[...]
    var reads: [ArraySlice<UInt8>] = []
    while !rest.isEmpty {
      let size = Int.random(in: 1...longest, using: &self)
      reads.append(rest.prefix(size))
      rest = rest.dropFirst(size)
    }
    return reads
  }
}
