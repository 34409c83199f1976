/// Times as people write them.
extension Duration {
  /// Reads `250us`, `500ms`, `10s`, `1.5m`, `2h`; `nil` for anything else, a number without a unit too.
  init?(text: String) {
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let seconds: Double
    switch text.dropFirst(digits.count) {
    case "us", "µs": seconds = 1e-6
    case "ms": seconds = 1e-3
    case "s": seconds = 1
    case "m", "min": seconds = 60
    case "h": seconds = 3600
    default: return nil
    }
    guard let number = Double(digits), number.isFinite, number * seconds < 1e12 else { return nil }
    self = .nanoseconds(Int64((number * seconds * 1e9).rounded()))
  }

  /// Three digits in the unit that fits: `874 ns`, `1.04 ms`, `32.7 s`; longer ones as `2 min 5 s`, `1 h 20 min`.
  var text: String {
    let nanoseconds = Double(components.seconds) * 1e9 + Double(components.attoseconds) / 1e9
    for (unit, size) in [("ns", 1.0), ("µs", 1e3), ("ms", 1e6)] where nanoseconds < 999.5 * size {
      return (nanoseconds / size).threeDigits(isWhole: size == 1) + " " + unit
    }
    if nanoseconds < 99.95e9 { return (nanoseconds / 1e9).threeDigits(isWhole: false) + " s" }
    let seconds = Int(min(nanoseconds / 1e9, 1e15).rounded())
    return seconds < 3600
      ? "\(seconds / 60) min \(seconds % 60) s" : "\(seconds / 3600) h \(seconds / 60 % 60) min"
  }

  /// The same of a round time, without zeros that say nothing: `1.5 ms`, `20 µs`, `1 h`.
  var roundText: String {
    let text = text
    for nothing in [" 0 min", " 0 s"] where text.hasSuffix(nothing) {
      return String(text.dropLast(nothing.count))
    }
    guard let space = text.firstIndex(of: " "), text[..<space].contains(".") else { return text }
    var number = text[..<space]
    while number.hasSuffix("0") { number.removeLast() }
    if number.hasSuffix(".") { number.removeLast() }
    return String(number + text[space...])
  }

  /// `0:07`, `12:30`, `1:02:03`, for how long something has been going on.
  var clockText: String {
    let seconds = max(0, components.seconds)
    func two(_ number: Int64) -> String { (number < 10 ? "0" : "") + "\(number)" }
    let minutes = seconds / 60
    let tail = two(seconds % 60)
    return minutes < 60 ? "\(minutes):\(tail)" : "\(minutes / 60):\(two(minutes % 60)):\(tail)"
  }
}
