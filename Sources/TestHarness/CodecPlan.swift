/// Which reads a check tries a stream in.
struct CodecPlan {
  let seed: UInt64

  /// Streams up to this length are cut at every place; longer ones near both ends, and at random places.
  private static var longest: Int { 512 }
  /// How many places near either end, and how many random ones.
  private static var sampled: Int { 128 }
  private static var longestInThree: Int { 64 }
  private static var random: Int { 200 }
  private static var damaged: Int { 100 }
  private static var repeated: Int { 64 }

  /// Calls the body with each way of reading the stream.
  func forEach(
    _ check: CodecCheck, _ stream: [UInt8], _ body: ([[UInt8]]) throws(CodecFailure) -> Void
  ) throws(CodecFailure) {
    var numbers = SeededRandom(seed: seed)
    switch check {
    case .expectation, .limit, .bounded, .roundTrip, .unencodable, .appending:
      try body([stream])
    case .twoReads, .copies:
      for cut in cuts(in: stream) { try body(Self.two(stream, cut)) }
    case .threeReads:
      guard stream.count <= Self.longestInThree else { return }
      for first in cuts(in: stream) {
        for second in (first + 1)..<max(first + 1, stream.count) {
          try body([Array(stream[..<first]), Array(stream[first..<second]), Array(stream[second...])])
        }
      }
    case .byteByByte, .leftovers:
      try body(Self.bytes(stream))
    case .randomReads:
      for round in 0..<Self.random {
        let longest = [2, 5, 17, stream.count][round % 4]
        try body(numbers.reads(of: stream, upTo: longest))
      }
    case .damage:
      for _ in 0..<Self.damaged {
        let damaged = numbers.damaged(stream)
        if damaged == stream { continue }
        try body(Self.bytes(damaged))
        try body(Self.two(damaged, .random(in: 0...damaged.count, using: &numbers)))
      }
    case .truncation, .midFrame, .afterEnd:
      for end in cuts(in: stream) + [stream.count] { try body([Array(stream[..<end])]) }
    case .nothing:
      try body([])
      for end in cuts(in: stream) + [stream.count] { try body([Array(stream[..<end])]) }
    case .failure, .endless:
      for end in cuts(in: stream) + [stream.count] { try body([Array(stream[..<end])]) }
      for _ in 0..<Self.damaged { try body([numbers.damaged(stream)]) }
    case .linearTime:
      try body(Self.bytes(stream))
      for _ in 0..<8 where !stream.isEmpty { try body(Self.bytes(stretched(stream, &numbers))) }
    case .takeover:
      try body([stream])
      try body(Self.bytes(stream))
    }
  }

  /// Places in the stream to go on from with what is there, again and again.
  func places(in stream: [UInt8]) -> [Int] {
    guard stream.count > Self.repeated else { return Array(stream.indices) }
    var numbers = SeededRandom(seed: seed)
    return (0..<Self.repeated).map { _ in Int.random(in: stream.indices, using: &numbers) }
  }

  /// Places inside the stream.
  func cuts(in stream: [UInt8]) -> [Int] {
    let places = 1..<max(1, stream.count)
    guard places.count > Self.longest else { return Array(places) }
    var numbers = SeededRandom(seed: seed)
    return Array(places.prefix(Self.sampled)) + Array(places.suffix(Self.sampled))
      + (0..<Self.sampled).map { _ in Int.random(in: places, using: &numbers) }
  }

  /// The stream with one of its bytes repeated, which makes a long frame where frames have no length in front.
  private func stretched(_ stream: [UInt8], _ numbers: inout SeededRandom) -> [UInt8] {
    let index = Int.random(in: stream.indices, using: &numbers)
    return stream[..<index] + [UInt8](repeating: stream[index], count: 256) + stream[index...]
  }

  static func bytes(_ stream: [UInt8]) -> [[UInt8]] { stream.map { [$0] } }

  static func two(_ stream: [UInt8], _ cut: Int) -> [[UInt8]] {
    [Array(stream[..<cut]), Array(stream[cut...])]
  }
}
