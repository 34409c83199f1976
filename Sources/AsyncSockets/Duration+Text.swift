extension Duration {
  /// Three digits or so, in the unit that fits.
  package var briefly: String {
    if self < .zero { return "-\((.zero - self).briefly)" }
    let (seconds, attoseconds) = components
    let nanoseconds = attoseconds / 1_000_000_000
    switch (seconds, nanoseconds) {
    case (0, ..<1000): return "\(nanoseconds) ns"
    case (0, ..<1_000_000): return "\(nanoseconds / 1000) µs"
    case (0, _): return "\(nanoseconds / 1_000_000) ms"
    case (..<60, _): return "\(seconds).\(nanoseconds / 100_000_000) s"
    case (..<3600, _): return "\(seconds / 60) min \(seconds % 60) s"
    default: return "\(seconds / 3600) h \(seconds / 60 % 60) min"
    }
  }

  /// In seconds with all its digits, for the refusal of a value: `0 s`, `0.25 s`.
  package var exactly: String {
    let (seconds, attoseconds) = components
    return attoseconds == 0 ? "\(seconds) s" : "\(self / .seconds(1)) s"
  }
}
