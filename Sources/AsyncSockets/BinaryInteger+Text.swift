extension BinaryInteger {
  /// So many of something: `1 byte`, `2 bytes`.
  package func of(_ noun: String) -> String { self == 1 ? "1 \(noun)" : "\(self) \(noun)s" }
}
