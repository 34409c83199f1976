/// Counts empty frames in a row, which cost the sender next to nothing and the receiver a turn each.
@usableFromInline
struct EmptyFrameLimit: Sendable {
  @usableFromInline let maximum: Int
  @usableFromInline var run = 0

  init() {
    maximum = 1_000
  }

  init(_ maximum: Int) throws(FramingError) {
    guard maximum >= 0 else {
      throw .invalidConfiguration(
        "at most \(maximum) empty frames in a row is impossible; make it at least 0 (the default is 1000)")
    }
    self.maximum = maximum
  }

  /// Takes note of the frame at `offset`.
  @inlinable
  mutating func count(_ length: Int, at offset: UInt64) throws(FramingError) {
    guard length == 0 else {
      run = 0
      return
    }
    guard run < maximum else {
      throw .malformed("more than \(maximum) empty frames in a row", offset: offset)
    }
    run += 1
  }
}
