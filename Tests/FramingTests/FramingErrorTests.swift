import Framing
import Testing

@Suite("Framing errors")
struct FramingErrorTests {
  @Test("an error says the limit, the size, the place and what to change")
  func descriptions() {
    #expect(
      "\(FramingError.tooLong(limit: 5, seen: 6, offset: 12))"
        == "the frame at offset 12 is too long: 6 bytes seen, the limit is 5")
    #expect("\(FramingError.invalidUTF8(offset: 3))" == "invalid UTF-8 at offset 3")
    #expect(
      "\(FramingError.truncated(held: 2, offset: 9))"
        == "the stream ended too soon: of what begins at offset 9, 2 bytes had come")
    #expect("\(FramingError.malformed("no sign", offset: 1))" == "malformed at offset 1: no sign")
    #expect("\(FramingError.invalidConfiguration("the limit is 0"))" == "invalid framing: the limit is 0")
  }
}
