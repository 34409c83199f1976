/// How much one connection may read before others get their turn.
///
/// Without it a bulk sender whose data is always there would never suspend, and everybody else on the loop would
/// wait for it.
@usableFromInline
struct ReadBudget {
  // Small, since every connection has one.
  @usableFromInline var frames: Int16 = 64
  @usableFromInline var reads: Int16 = 16
  @usableFromInline var bytes: Int32 = 256 << 10

  @inlinable
  mutating func takeFrame() { frames -= 1 }

  mutating func takeRead(_ count: Int) {
    reads -= 1
    bytes -= Int32(clamping: count)
  }

  @inlinable @inline(__always)
  var isSpent: Bool { frames <= 0 || reads <= 0 || bytes <= 0 }

  @usableFromInline
  mutating func refill() { self = ReadBudget() }
}
