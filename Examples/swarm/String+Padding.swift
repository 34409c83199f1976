extension String {
  /// With spaces before it, to be so wide.
  func padded(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }

  /// With spaces behind it, to be so wide.
  func filled(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
