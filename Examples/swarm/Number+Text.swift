/// Numbers as people read them.
extension BinaryInteger {
  /// With commas: `40,000`.
  var grouped: String {
    var digits = String(magnitude)[...]
    var groups: [Substring] = []
    while digits.count > 3 {
      groups.append(digits.suffix(3))
      digits = digits.dropLast(3)
    }
    groups.append(digits)
    return (self < 0 ? "-" : "") + groups.reversed().joined(separator: ",")
  }

  /// So many of something: `1 error`, `2,000 connections`.
  func counted(_ noun: String) -> String { "\(grouped) \(noun)\(self == 1 ? "" : "s")" }
}

extension Double {
  /// `1.04`, `32.7`, `874`; without decimals if it is known to be whole.
  func threeDigits(isWhole: Bool) -> String {
    let decimals = isWhole || self >= 99.95 ? 0 : self >= 9.995 ? 1 : 2
    let scale = decimals == 0 ? 1 : decimals == 1 ? 10 : 100
    let scaled = Int((self * Double(scale)).rounded())
    guard decimals > 0 else { return "\(scaled)" }
    let fraction = String(scaled % scale)
    return "\(scaled / scale)." + String(repeating: "0", count: decimals - fraction.count) + fraction
  }

  /// `874`, `48.1k`, `1.20M`, in about the same width whatever it is; with a space before the letter if `unit` follows:
  /// `1.20 MB/s`.
  func compact(_ unit: String = "") -> String {
    let space = unit.isEmpty ? "" : " "
    for (letter, size) in [("", 1.0), ("k", 1e3), ("M", 1e6)] where self < 999.5 * size {
      return (self / size).threeDigits(isWhole: size == 1) + space + letter + unit
    }
    return (Swift.min(self, 1e27) / 1e9).threeDigits(isWhole: false) + space + "G" + unit
  }
}
