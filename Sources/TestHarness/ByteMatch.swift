import Framing

/// Compares the front of a buffer with bytes, each of them once, in whatever reads they come.
package struct ByteMatch {
  package enum Outcome: Equatable { case more, whole, differs }

  private let expected: [UInt8]
  private var matched = 0

  package init(_ expected: [UInt8]) { self.expected = expected }

  /// Looks at what has come since the last time, of a buffer from which nothing was taken meanwhile.
  package mutating func look(at buffer: ReceiveBuffer) -> Outcome {
    let count = min(buffer.count, expected.count) - matched
    guard expected[matched...].starts(with: buffer.bytes(from: matched, count: count)) else {
      return .differs
    }
    matched += count
    return matched == expected.count ? .whole : .more
  }
}
