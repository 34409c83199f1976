/// The bytes that an encoder ends a line with: in a word where they fit, which is copied without counting
/// references.
enum LineEnding: Sendable {
  case short(UInt64, count: Int)
  case long([UInt8])

  init(_ bytes: [UInt8]) {
    guard bytes.count <= 8 else {
      self = .long(bytes)
      return
    }
    self = .short(bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }, count: bytes.count)
  }

  @inline(__always)
  func append(to output: inout [UInt8]) {
    switch self {
    case .short(var word, let count):
      // One by one costs less than a call for the one or two bytes that it nearly always is.
      for _ in 0..<count {
        output.append(UInt8(truncatingIfNeeded: word))
        word >>= 8
      }
    case .long(let bytes): output.append(contentsOf: bytes)
    }
  }
}
