import Glibc

/// Bytes that differ at every place where a mistake may shift them: the period is a prime, and no buffer size.
func payload(_ count: Int, seed: UInt8 = 0) -> [UInt8] {
  var block: [UInt8] = []
  block.reserveCapacity(4093)
  var value = UInt32(seed) &* 2_654_435_761 &+ 1
  while block.count < 4093 {
    value = value &* 1_664_525 &+ 1_013_904_223
    block.append(UInt8(truncatingIfNeeded: value >> 24))
  }
  var bytes: [UInt8] = []
  bytes.reserveCapacity(count + block.count)
  while bytes.count < count { bytes.append(contentsOf: block) }
  bytes.removeLast(bytes.count - count)
  return bytes
}

/// Equality that is quick in debug builds, and whose failure does not print megabytes.
func areSame(_ one: [UInt8], _ other: [UInt8]) -> Bool {
  guard one.count == other.count else { return false }
  return unsafe one.withUnsafeBytes { left in
    unsafe other.withUnsafeBytes { right in
      guard let left = left.baseAddress, let right = right.baseAddress else { return true }
      return unsafe memcmp(left, right, one.count) == 0
    }
  }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
