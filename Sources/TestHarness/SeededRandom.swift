/// Numbers that follow from a seed, the same in every process (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// The bytes in reads of 1 to `longest`.
  mutating func reads(of bytes: [UInt8], upTo longest: Int) -> [[UInt8]] {
    var reads: [[UInt8]] = []
    var start = 0
    while start < bytes.count {
      let end = min(bytes.count, start + Int.random(in: 1...max(1, longest), using: &self))
      reads.append(Array(bytes[start..<end]))
      start = end
    }
    return reads
  }

  /// The bytes with up to three of them changed, added, lost, repeated or swapped.
  mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...3, using: &self) {
      // Bytes of the stream itself are more likely to mean something to the codec.
      let byte =
        Bool.random(using: &self)
        ? bytes.randomElement(using: &self) ?? 0 : .random(in: 0...255, using: &self)
      guard !bytes.isEmpty else { return [byte] }
      let index = Int.random(in: bytes.indices, using: &self)
      switch Int.random(in: 0..<5, using: &self) {
      case 0: bytes[index] = byte
      case 1: bytes.insert(byte, at: index)
      case 2: bytes.remove(at: index)
      case 3: bytes.insert(contentsOf: bytes[index...].prefix(8), at: index)
      default: bytes.swapAt(index, Int.random(in: bytes.indices, using: &self))
      }
    }
    return bytes
  }
}
