/// A set of signal numbers.
struct SignalSet: OptionSet, Sendable {
  let rawValue: UInt64

  init(rawValue: UInt64) { self.rawValue = rawValue }

  init(number: Int32) { self.init(rawValue: 1 << UInt64(number)) }

  var numbers: [Int32] { (1..<64).filter { contains(SignalSet(number: $0)) } }

  mutating func removeFirst() -> Int32? {
    guard rawValue != 0 else { return nil }
    let number = Int32(rawValue.trailingZeroBitCount)
    remove(SignalSet(number: number))
    return number
  }
}
