/// Where two runs of bytes begin to differ, shown for people.
struct ByteDifference {
  let expected: [UInt8]
  let received: [UInt8]

  private static var most: Int { 40 }
  private static var before: Int { 16 }

  /// Both texts and their bytes around the first difference, which is marked.
  var lines: [String] {
    let common = zip(expected, received).prefix { $0 == $1 }.count
    let start = common > Self.most - Self.before ? common - Self.before : 0
    let margin = "          "
    let lead = start > 0 ? "…" : ""
    let column =
      margin.count + lead.count + 1 + expected[start..<common].lazy.map(EscapedText.escape).joined().count
    return [
      "expected  " + lead + Self.show(expected[start...]),
      margin + Self.hex(expected[start...]),
      "received  " + lead + Self.show(received[start...]),
      String(repeating: " ", count: column) + "^ byte \(common)",
      margin + Self.hex(received[start...]),
    ]
  }

  private static func show(_ bytes: ArraySlice<UInt8>) -> String {
    EscapedText.escape(bytes.prefix(most)) + (bytes.count > most ? "… (\(bytes.count) bytes)" : "")
  }

  private static func hex(_ bytes: ArraySlice<UInt8>) -> String {
    bytes.isEmpty ? "nothing" : EscapedText.hex(bytes.prefix(most)) + (bytes.count > most ? " …" : "")
  }
}
