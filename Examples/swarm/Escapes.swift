/// Texts with escapes, and bytes in hexadecimal.
enum Escapes {
  /// An escape that does not exist.
  struct Malformed: Error, Equatable {
    let sequence: String
  }

  /// The bytes of a text in which `\n`, `\r`, `\t`, `\\` and `\xHH` stand for what they do in most languages.
  static func bytes(of text: String) throws(Malformed) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = text[...]
    while let character = rest.popFirst() {
      guard character == "\\" else {
        bytes += character.utf8
        continue
      }
      switch rest.popFirst() {
      case "n": bytes.append(0x0a)
      case "r": bytes.append(0x0d)
      case "t": bytes.append(0x09)
      case "\\": bytes.append(0x5c)
      case "x":
        let digits = rest.prefix(2)
        guard digits.utf8.count == 2, digits.allSatisfy(\.isHexDigit), let byte = UInt8(digits, radix: 16)
        else {
          throw Malformed(sequence: "\\x\(digits)")
        }
        bytes.append(byte)
        rest = rest.dropFirst(2)
      case let other: throw Malformed(sequence: "\\\(other.map(String.init) ?? "")")
      }
    }
    return bytes
  }

  /// Pairs of hexadecimal digits, with any spaces between them; `nil` for anything else.
  static func bytes(hex text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    for word in text.split(separator: " ") {
      var digits = word[...]
      while !digits.isEmpty {
        let pair = digits.prefix(2)
        guard pair.utf8.count == 2, pair.allSatisfy(\.isHexDigit), let byte = UInt8(pair, radix: 16) else {
          return nil
        }
        bytes.append(byte)
        digits = digits.dropFirst(2)
      }
    }
    return bytes
  }

  /// Bytes for people: in quotes, what cannot be printed as an escape, at most so many bytes.
  static func quoted(_ bytes: some Collection<UInt8>, limit: Int = 60) -> String {
    var text = ""
    for byte in bytes.prefix(limit) {
      switch byte {
      case 0x0a: text += "\\n"
      case 0x0d: text += "\\r"
      case 0x09: text += "\\t"
      case 0x22: text += "\\\""
      case 0x5c: text += "\\\\"
      case 0x20...0x7e: text += String(UnicodeScalar(byte))
      default: text += "\\x" + hex(byte)
      }
    }
    return "\"\(text)\"" + (bytes.count > limit ? "… (\(bytes.count) bytes)" : "")
  }

  /// A text out of a file, in which nothing steers a terminal.
  static func printable(_ text: String) -> String {
    var printable = ""
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator:
        printable += "\\u{\(String(scalar.value, radix: 16))}"
      default: printable.unicodeScalars.append(scalar)
      }
    }
    return printable
  }

  private static func hex(_ byte: UInt8) -> String {
    (byte < 0x10 ? "0" : "") + String(byte, radix: 16)
  }
}
