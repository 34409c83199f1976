/// A set of signal numbers.
struct SignalSet: OptionSet, Sendable {
  let rawValue: UInt64

  init(rawValue: UInt64) { self.rawValue = rawValue }

  /// The signals that Linux has.
  static let range: ClosedRange<Int32> = 1...64

  /// Bit 0 stands for signal 1.
  init(number: Int32) { self.init(rawValue: 1 << UInt64(number - 1)) }

  var numbers: [Int32] { Self.range.filter { contains(SignalSet(number: $0)) } }

  mutating func removeFirst() -> Int32? {
    guard rawValue != 0 else { return nil }
    let number = Int32(rawValue.trailingZeroBitCount) + 1
    remove(SignalSet(number: number))
    return number
  }
}
