/// How much one connection may read before others get their turn.
///
/// Without it a bulk sender whose data is always there would never suspend, and everybody else on the loop would
/// wait for it.
@usableFromInline
struct ReadBudget {
  private static let frameLimit: Int8 = 64

  // Small, since every connection has one.
  @usableFromInline var frames: Int8 = frameLimit
  @usableFromInline var reads: Int8 = 16
  /// How many frames were taken before the budget was last refilled, modulo what the type holds.
  private var framesBefore: UInt16 = 0
  @usableFromInline var bytes: Int32 = 256 << 10

  /// Something has been read since whoever asks has put it back.
  var hasRead = false

  @inlinable
  mutating func takeFrame() { frames -= 1 }

  mutating func takeRead(_ count: Int) {
    reads -= 1
    bytes -= Int32(clamping: count)
    hasRead = true
  }

  @inlinable @inline(__always)
  var isSpent: Bool { frames <= 0 || reads <= 0 || bytes <= 0 }

  /// How many frames have been taken in all, modulo 65,536: whoever counts asks once for every budget.
  var framesTaken: UInt16 { framesBefore &+ UInt16(truncatingIfNeeded: Int(Self.frameLimit) - Int(frames)) }

  @usableFromInline
  mutating func refill() {
    let before = self
    self = ReadBudget()
    framesBefore = before.framesTaken
    hasRead = before.hasRead
  }
}
