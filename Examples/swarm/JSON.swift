/// A JSON value (RFC 8259). Numbers stay the text that they are, so that 64 bits survive; members keep their order.
enum JSON: Equatable, Sendable {
  case null
  case bool(Bool)
  case number(String)
  case string(String)
  case array([JSON])
  case object([Member])

  struct Member: Equatable, Sendable {
    let name: String
    let value: JSON
  }

  static func integer(_ value: some BinaryInteger) -> JSON { .number("\(value)") }

  init(parsing text: String) throws(JSONError) {
    var parser = JSONParser(text)
    self = try parser.document()
  }
}

extension JSON: ExpressibleByDictionaryLiteral {
  init(dictionaryLiteral members: (String, JSON)...) {
    self = .object(members.map { Member(name: $0.0, value: $0.1) })
  }
}

// MARK: - Reading

extension JSON {
  /// A member that has to be there.
  func member(_ name: String) throws(JSONError) -> JSON {
    guard case .object(let members) = self, let member = members.first(where: { $0.name == name }) else {
      throw JSONError("it has no member \"\(name)\"")
    }
    return member.value
  }

  func integer<Value: FixedWidthInteger>(_ name: String) throws(JSONError) -> Value {
    guard case .number(let text) = try member(name), let value = Value(text), value >= 0 else {
      throw JSONError("\"\(name)\" is no whole number")
    }
    return value
  }

  func string(_ name: String) throws(JSONError) -> String {
    guard case .string(let text) = try member(name) else { throw JSONError("\"\(name)\" is no string") }
    return text
  }

  func array(_ name: String) throws(JSONError) -> [JSON] {
    guard case .array(let elements) = try member(name) else { throw JSONError("\"\(name)\" is no array") }
    return elements
  }
}

// MARK: - Writing

extension JSON {
  /// Indented by two spaces a level; arrays and objects of plain values in one line if they are short.
  var text: String { text(indent: "") }

  private func text(indent: String) -> String {
    switch self {
    case .null: return "null"
    case .bool(let value): return "\(value)"
    case .number(let text): return text
    case .string(let text): return Self.quoted(text)
    case .array(let elements): return Self.list(elements.map { ("", $0) }, "[", "]", indent)
    case .object(let members):
      return Self.list(members.map { (Self.quoted($0.name) + ": ", $0.value) }, "{", "}", indent)
    }
  }

  private var isPlain: Bool {
    switch self {
    case .array, .object: false
    default: true
    }
  }

  private static func list(
    _ parts: [(label: String, value: JSON)], _ open: String, _ close: String, _ indent: String
  ) -> String {
    let inner = indent + "  "
    let texts = parts.map { $0.label + $0.value.text(indent: inner) }
    let line = open + texts.joined(separator: ", ") + close
    if parts.allSatisfy(\.value.isPlain), indent.count + line.count <= 100 { return line }
    return open + "\n" + texts.map { inner + $0 }.joined(separator: ",\n") + "\n" + indent + close
  }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\r": quoted += "\\r"
      case "\t": quoted += "\\t"
      case "\u{0}"..."\u{1f}":
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
