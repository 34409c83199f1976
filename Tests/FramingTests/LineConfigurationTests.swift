import Framing
import Testing

@Suite("Configuration of lines")
struct LineConfigurationTests {
  @Test("scenario A19: what can't work is refused with a text that says what to change")
  func refused() throws {
    for terminator in ["", [], LineTerminator([])] as [LineTerminator] {
      #expect(
        message { () throws(FramingError) in try LineFraming(terminator) }.contains("at least one byte"))
      #expect(
        message { () throws(FramingError) in try LineFraming("x", sends: terminator) }.contains(
          "keepingTerminator"))
    }
    for terminator in [
      .oneOf(), .oneOf("a", ""), .run(of: ""), .run(of: "a", atLeast: 0), .run(of: [], atLeast: .min),
    ] as [LineTerminator] {
      #expect(message { () throws(FramingError) in try LineFraming(terminator) }.contains("at least"))
      #expect(message { () throws(FramingError) in try LineFraming(sends: terminator) }.contains("at least"))
    }
    for length in [0, -1, Int.min] {
      let text = message { () throws(FramingError) in try LineFraming(maximumLength: length) }
      #expect(text.contains("\(length) bytes; make it at least 1"))
    }
  }

  private func message(_ make: () throws(FramingError) -> LineFraming) -> String {
    do throws(FramingError) {
      _ = try make()
      return "accepted"
    } catch {
      guard case .invalidConfiguration(let text) = error else { return "wrong case" }
      #expect(error.description == "invalid framing: \(text)")
      return text
    }
  }

  @Test("a literal can be bytes that are not text")
  func byteLiterals() throws {
    #expect(
      decodeEveryWay(try LineFraming([0xFF, 0x00]), [[97, 0xFF, 0, 98, 0xFF, 0]]) == Outcome(["a", "b"]))
    #expect(LineTerminator("\r\n") == [13, 10])
  }

  @Test("a terminator sends what is usual for it unless told otherwise")
  func defaultOutput() throws {
    #expect(try encode(LineFraming(.newline), "a") == "a\n")
    #expect(try encode(LineFraming(.anyNewline), "a") == "a\r\n")
    #expect(try encode(LineFraming("--"), "a") == "a--")
    #expect(try encode(LineFraming(sends: "\r\n"), "a") == "a\r\n")
    #expect(try encode(LineFraming(.oneOf(";", ",")), "a") == "a;")
    #expect(try encode(LineFraming(.run(of: " \t")), "a") == "a ")
    #expect(try encode(LineFraming("x", sends: .newline), "a") == "a\n")
  }

  @Test("a literal that begins like its own end is found wherever it is")
  func overlappingLiterals() throws {
    #expect(decodeEveryWay(try LineFraming("\r\n"), "a\r\r\nb\r\n") == Outcome(["a\r", "b"]))
    #expect(decodeEveryWay(try LineFraming("aab"), "aaaabaab") == Outcome(["aa", ""]))
    #expect(decodeEveryWay(try LineFraming("aabaaaa"), "aabaaabaaaa") == Outcome(["aaba"]))
    #expect(decodeEveryWay(try LineFraming("abab"), "abaabababab") == Outcome(["aba", ""]))
  }
}
