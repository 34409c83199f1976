/// Reads JSON (RFC 8259). Pure; deep nesting is refused, so that no input overflows the stack.
struct JSONParser {
  private static let deepest = 64
  private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")

  private let bytes: [UInt8]
  private var place = 0

  init(_ text: String) { bytes = Array(text.utf8) }

  mutating func document() throws(JSONError) -> JSON {
    let value = try value(depth: 0)
    skipSpace()
    guard place == bytes.count else { throw unexpected("the end") }
    return value
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSON {
    guard depth < Self.deepest else { throw JSONError("it is nested more than \(Self.deepest) levels deep") }
    skipSpace()
    switch peek {
    case UInt8(ascii: "{"): return try object(depth)
    case UInt8(ascii: "["): return try array(depth)
    case UInt8(ascii: "\""): return .string(try string())
    case let byte? where byte == UInt8(ascii: "-") || Self.digits.contains(byte): return try number()
    default:
      for (word, value) in [("true", JSON.bool(true)), ("false", .bool(false)), ("null", .null)]
      where bytes[place...].starts(with: word.utf8) {
        place += word.utf8.count
        return value
      }
      throw unexpected("a value")
    }
  }

  private mutating func object(_ depth: Int) throws(JSONError) -> JSON {
    var members: [JSON.Member] = []
    try take("{")
    skipSpace()
    if skip("}") { return .object([]) }
    repeat {
      skipSpace()
      let name = try string()
      skipSpace()
      try take(":")
      members.append(JSON.Member(name: name, value: try value(depth: depth + 1)))
      skipSpace()
    } while skip(",")
    try take("}")
    return .object(members)
  }

  private mutating func array(_ depth: Int) throws(JSONError) -> JSON {
    var elements: [JSON] = []
    try take("[")
    skipSpace()
    if skip("]") { return .array([]) }
    repeat {
      elements.append(try value(depth: depth + 1))
      skipSpace()
    } while skip(",")
    try take("]")
    return .array(elements)
  }

  private mutating func number() throws(JSONError) -> JSON {
    let start = place
    _ = skip("-")
    if !skip("0") { try digits() }
    if skip(".") { try digits() }
    if skip("e") || skip("E") {
      if !skip("+") { _ = skip("-") }
      try digits()
    }
    return .number(String(decoding: bytes[start..<place], as: UTF8.self))
  }

  private mutating func digits() throws(JSONError) {
    let start = place
    while let byte = peek, Self.digits.contains(byte) { place += 1 }
    if place == start { throw unexpected("a digit") }
  }

  private mutating func string() throws(JSONError) -> String {
    try take("\"")
    var text: [UInt8] = []
    while let byte = peek, byte >= 0x20 {
      place += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): text += try escape()
      default: text.append(byte)
      }
    }
    throw unexpected("the end of a string")
  }

  private mutating func escape() throws(JSONError) -> [UInt8] {
    guard let byte = peek else { throw unexpected("an escape") }
    place += 1
    switch byte {
    case UInt8(ascii: "n"): return [0x0a]
    case UInt8(ascii: "r"): return [0x0d]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0c]
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "u"): return Array(String(try unicode()).utf8)
    default:
      place -= 1
      throw unexpected("an escape")
    }
  }

  /// A character outside of the first 65,536 is written as two of 16 bits.
  private mutating func unicode() throws(JSONError) -> Character {
    let first = try fourDigits()
    var code = UInt32(first)
    if (0xd800..<0xdc00).contains(first) {
      guard skip("\\"), skip("u") else { throw unexpected("the other half of a character") }
      let second = try fourDigits()
      guard (0xdc00..<0xe000).contains(second) else { throw unexpected("the other half of a character") }
      code = 0x10000 + (UInt32(first) - 0xd800) << 10 + (UInt32(second) - 0xdc00)
    }
    guard let scalar = Unicode.Scalar(code) else { throw unexpected("a character") }
    return Character(scalar)
  }

  private mutating func fourDigits() throws(JSONError) -> UInt16 {
    let digits = String(decoding: bytes[place...].prefix(4), as: UTF8.self)
    guard digits.utf8.count == 4, digits.allSatisfy(\.isHexDigit), let code = UInt16(digits, radix: 16) else {
      throw unexpected("four hexadecimal digits")
    }
    place += 4
    return code
  }

  // MARK: Bytes

  private var peek: UInt8? { place < bytes.count ? bytes[place] : nil }

  private mutating func skipSpace() {
    while let byte = peek, [0x20, 0x0a, 0x0d, 0x09].contains(byte) { place += 1 }
  }

  private mutating func skip(_ scalar: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: scalar) else { return false }
    place += 1
    return true
  }

  private mutating func take(_ scalar: Unicode.Scalar) throws(JSONError) {
    guard skip(scalar) else { throw unexpected("\"\(scalar)\"") }
  }

  private func unexpected(_ wanted: String) -> JSONError {
    JSONError("at byte \(place), \(wanted) was to come")
  }
}
