/// Numbers that are the same in every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

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
