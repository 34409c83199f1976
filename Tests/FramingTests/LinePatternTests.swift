import Framing
import TestSupport
import Testing

@Suite("Lines that several terminators end, against a plain model")
struct LinePatternTests {
  struct Mode: Sendable, CustomTestStringConvertible {
    var terminator: LineTerminator
    var model: LineModel.Terminator
    var testDescription: String { "\(model)" }

    static let all = [
      oneOf([[10], [13, 10]]), oneOf([[97], [97, 98], [97, 98, 97]]), oneOf([[98, 97], [97, 97, 13, 10]]),
      oneOf([[13], [13]]), run([10, 13], 1), run([10, 13], 2), run([97], 3),
    ]

    private static func oneOf(_ alternatives: [[UInt8]]) -> Mode {
      Mode(terminator: .oneOf(alternatives), model: .oneOf(alternatives))
    }

    private static func run(_ bytes: [UInt8], _ minimum: Int) -> Mode {
      Mode(terminator: .run(of: bytes, atLeast: minimum), model: .run(bytes, atLeast: minimum))
    }
  }

  private static let alphabet: [UInt8] = [10, 13, 97, 97, 98]

  @Test("any bytes, cut anyhow, come to what the model says", arguments: Mode.all)
  func decoding(mode: Mode) throws {
    var random = SeededGenerator(seed: 6)
    let framing = try LineFraming(mode.terminator).bytes
    let model = LineModel(terminator: mode.model)
    for _ in 0..<400 {
      let stream = random.bytes(.random(in: 0...40, using: &random), from: Self.alphabet)
      let reads = random.split(stream)
      let expected = model.lines(stream)
      #expect(Outcome(of: framing, reads: reads, ended: true) == Outcome(expected.content), "\(reads)")
      #expect(
        Outcome(of: framing.keepingTerminator, reads: reads, ended: true) == Outcome(expected.whole),
        "\(reads)")
    }
  }

  @Test("every way of cutting a stream comes to the same, limit or not", arguments: Mode.all)
  func everySplit(mode: Mode) throws {
    var random = SeededGenerator(seed: 7)
    for limit in [4, 100] {
      let framing = try LineFraming(mode.terminator, maximumLength: limit).bytes
      for _ in 0..<8 {
        let stream = random.bytes(.random(in: 0...16, using: &random), from: Self.alphabet)
        for ended in [true, false] {
          _ = decodeEveryWay(framing, [stream], ended: ended)
          _ = decodeEveryWay(framing.keepingTerminator, [stream], ended: ended)
        }
      }
    }
  }

  @Test("a run that is kept with its line is held to the limit")
  func endlessRun() throws {
    let framing = try LineFraming(.run(of: "\n"), maximumLength: 3)
    #expect(decodeEveryWay(framing, "a\n\n\n\n\n\nb\n") == Outcome(["a", "b"]))
    #expect(
      decodeEveryWay(framing.keepingTerminator, "a\n\n\nb\n", ended: true) == Outcome(["a\n\n\n", "b\n"]))
    #expect(
      decodeEveryWay(framing.keepingTerminator, "a\n\n\n\n").error == .tooLong(limit: 3, seen: 4, offset: 0))
  }
}
