/// Bytes that differ at every place where a mistake may shift them: the period is a prime, and no buffer's size.
enum Pattern {
  private static let period = 4093
  private static let block: [UInt8] = {
    var numbers = SeededRandom(seed: 1)
    return (0..<period).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
  }()

  static func bytes(_ count: Int, from start: Int = 0) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + period)
    bytes += block[(start % period)...]
    while bytes.count < count { bytes += block }
    bytes.removeLast(bytes.count - count)
    return bytes
  }
}
