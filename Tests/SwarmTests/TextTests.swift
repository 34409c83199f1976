import Testing

@testable import swarm

@Suite("Numbers and times for people")
struct TextTests {
  @Test(
    "times are read with their units, and nothing else is a time",
    arguments: [
      ("500ms", Duration.milliseconds(500)), ("10s", .seconds(10)), ("1.5m", .seconds(90)),
      ("2h", .seconds(7200)), ("3min", .seconds(180)), ("250us", .microseconds(250)),
      ("10", nil), ("s", nil), ("1.2.3s", nil), ("-1s", nil), ("1 s", nil), ("", nil), ("9e99h", nil),
    ])
  func durations(text: String, duration: Duration?) {
    #expect(Duration(text: text) == duration)
  }

  @Test(
    "times are written with three digits",
    arguments: [
      (Duration.nanoseconds(874), "874 ns"), (.nanoseconds(1040), "1.04 µs"), (.microseconds(999), "999 µs"),
      (.nanoseconds(999_600), "1.00 ms"), (.milliseconds(32), "32.0 ms"), (.milliseconds(1234), "1.23 s"),
      (.seconds(99), "99.0 s"), (.seconds(100), "1 min 40 s"), (.seconds(4800), "1 h 20 min"),
      (.zero, "0 ns"),
    ])
  func durationTexts(duration: Duration, text: String) {
    #expect(duration.text == text)
  }

  @Test("numbers are grouped, shortened and counted")
  func numbers() {
    #expect([0, 999, 1000, 1_234_567, -1000].map(\.grouped) == ["0", "999", "1,000", "1,234,567", "-1,000"])
    #expect(UInt64.max.grouped == "18,446,744,073,709,551,615")
    #expect(
      [0, 12.4, 999.4, 999.6, 48_123, 1.2e6, 3e12].map { $0.compact() }
        == ["0", "12", "999", "1.00k", "48.1k", "1.20M", "3000G"])
    #expect(2.45e6.compact("B/s") == "2.45 MB/s")
    #expect(1.counted("error") == "1 error")
    #expect(2000.counted("error") == "2,000 errors")
    #expect(Duration.seconds(3723).clockText == "1:02:03")
    #expect(Duration.seconds(67).clockText == "1:07")
    #expect(Duration.milliseconds(1500).roundText == "1.5 s")
    #expect(Duration.microseconds(20).roundText == "20 µs")
    #expect(Duration.seconds(3600).roundText == "1 h")
    #expect(Duration.seconds(600).roundText == "10 min")
    #expect(Duration.zero.roundText == "0 ns")
  }

  @Test("bytes are quoted so that nothing unprintable is left, and cut")
  func quotes() {
    #expect(Escapes.quoted(Array("a\"\\\r\n\u{1b}".utf8)) == #""a\"\\\r\n\x1b""#)
    #expect(Escapes.quoted([UInt8](repeating: 97, count: 5), limit: 3) == #""aaa"… (5 bytes)"#)
  }

  @Test("a text out of a file steers no terminal")
  func printable() {
    let text = Escapes.printable("a\u{1b}[2J\r\nb \u{202e}é \u{9b}c")
    #expect(text == "a\\u{1b}[2J\\u{d}\\u{a}b \\u{202e}é \\u{9b}c")
  }

  @Test("a slip of the finger is recognised")
  func spelling() {
    let words = ["--rate", "--ramp", "--connect", "--connections"]
    #expect(Spelling.nearest(to: "--rat", in: words) == "--rate")
    #expect(Spelling.nearest(to: "--conection", in: words) == "--connections")
    #expect(Spelling.nearest(to: "--help", in: words) == nil)
    #expect(Spelling.distance(from: "kitten", to: "sitting") == 3)
    #expect(Spelling.distance(from: "", to: "abc") == 3)
  }
}
