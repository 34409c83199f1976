import Testing

@testable import swarm

@Suite("JSON")
struct JSONTests {
  @Test("values are written and read back, in order and with all digits")
  func roundTrip() throws {
    let value: JSON = [
      "number": .integer(UInt64.max), "text": .string("a\"\\\n\t\r\u{1}\u{7f}é🐝"), "null": .null,
      "yes": .bool(true),
      "no": .bool(false), "empty": .array([]), "nothing": [:],
      "list": .array([.number("-1.5e+3"), ["deep": .array([.string("")])]]),
    ]
    #expect(try JSON(parsing: value.text) == value)
    #expect(try value.integer("number") as UInt64 == .max)
  }

  @Test("short lists of plain values stand on one line, everything else is indented")
  func layout() {
    let value: JSON = ["a": .array([.integer(1), .integer(2)]), "b": ["c": .null]]
    #expect(value.text == "{\n  \"a\": [1, 2],\n  \"b\": {\"c\": null}\n}")
  }

  @Test("what others write is read as well")
  func foreign() throws {
    #expect(
      try JSON(parsing: " [ 1 , \"\\u00e9\\ud83d\\udc1d\\/\" ]\r\n")
        == .array([.number("1"), .string("é🐝/")]))
    #expect(try JSON(parsing: "{}") == [:])
  }

  @Test(
    "what is no JSON is refused, with the place",
    arguments: [
      "", "{", "[1,]", "{\"a\"}", "{\"a\":1,}", "01", "1.", "-", "1e", "\"", "\"\\x\"", "\"\\ud800\"",
      "\"\\u12\"",
      "\"\n\"", "tru", "[1] 2", "{a:1}", "nul", "[",
    ])
  func malformed(text: String) throws {
    let error = try #require(throws: JSONError.self) { try JSON(parsing: text) }
    #expect("\(error)".contains("at byte"))
  }

  @Test("deep nesting is refused, and nothing overflows")
  func deep() throws {
    let error = try #require(throws: JSONError.self) {
      try JSON(parsing: String(repeating: "[", count: 1_000_000))
    }
    #expect("\(error)".contains("nested"))
  }
}
