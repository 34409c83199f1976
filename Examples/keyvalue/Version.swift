/// A value, and its place among all that are ever written to its key: `5 alice an apple`. No two have the same number and
/// writer.
struct Version: Comparable, Sendable, LosslessStringConvertible {
  /// Before anything is written.
  static let none = Version(number: 0, writer: "-", value: "")

  let number: Int
  let writer: String
  let value: String

  static func < (a: Version, b: Version) -> Bool { (a.number, a.writer) < (b.number, b.writer) }
}

extension Version {
  init?(_ text: String) {
    let words = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
    // There must be greater numbers.
    guard words.count == 3, let number = Int(words[0]), (0...1 << 60).contains(number) else { return nil }
    self.init(number: number, writer: words[1], value: words[2])
  }

  var description: String { "\(number) \(writer) \(value)" }
}

/// What cannot be done, and why.
struct StoreError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
