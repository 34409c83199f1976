/// Bytes as printable ASCII, one way and back: `"+OK\r\n\xFF"`.
enum EscapedText {
  /// The text of one byte, without quotes.
  static func escape(_ byte: UInt8) -> String {
    switch byte {
    case UInt8(ascii: "\n"): "\\n"
    case UInt8(ascii: "\r"): "\\r"
    case UInt8(ascii: "\t"): "\\t"
    case UInt8(ascii: "\""): "\\\""
    case UInt8(ascii: "\\"): "\\\\"
    case 0x20..<0x7F: String(UnicodeScalar(byte))
    default: "\\x" + hex(byte)
    }
  }

  static func escape(_ bytes: some Sequence<UInt8>) -> String {
    "\"" + bytes.lazy.map(escape).joined() + "\""
  }

  /// A text on one line, of so many characters at most.
  static func shortened(_ text: String, to limit: Int) -> String {
    let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
    return line.count > limit ? line.prefix(limit - 1) + "…" : line
  }

  static func hex(_ byte: UInt8) -> String {
    (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
  }

  static func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.lazy.map(hex).joined(separator: " ")
  }

  /// The bytes of an escaped text in its quotes; `nil` if it is none. What is not ASCII stands for its UTF-8.
  static func unescape(_ text: Substring) -> [UInt8]? {
    guard text.count >= 2, text.first == "\"", text.last == "\"" else { return nil }
    var bytes: [UInt8] = []
    var rest = text.dropFirst().dropLast()
    while let character = rest.popFirst() {
      if character == "\"" { return nil }
      guard character == "\\" else {
        bytes += Array(String(character).utf8)
        continue
      }
      switch rest.popFirst() {
      case "n": bytes.append(UInt8(ascii: "\n"))
      case "r": bytes.append(UInt8(ascii: "\r"))
      case "t": bytes.append(UInt8(ascii: "\t"))
      case "\"": bytes.append(UInt8(ascii: "\""))
      case "\\": bytes.append(UInt8(ascii: "\\"))
      case "x":
        guard rest.prefix(2).count == 2, rest.prefix(2).allSatisfy(\.isHexDigit),
          let byte = UInt8(rest.prefix(2), radix: 16)
        else {
          return nil
        }
        bytes.append(byte)
        rest = rest.dropFirst(2)
      default: return nil
      }
    }
    return bytes
  }
}
