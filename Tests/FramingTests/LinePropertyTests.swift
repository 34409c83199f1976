import Framing
import TestSupport
import Testing

@Suite("Lines, against a plain model")
struct LinePropertyTests {
  struct Mode: Sendable, CustomTestStringConvertible {
    var terminator: LineTerminator
    var model: LineModel.Terminator
    var testDescription: String { "\(model)" }

    static let all = [
      Mode(terminator: .newline, model: .newline),
      Mode(terminator: .anyNewline, model: .anyNewline),
      Mode(terminator: .autodetect, model: .autodetect),
      Mode(terminator: "\n", model: .literal([10])),
      Mode(terminator: "\r\n", model: .literal([13, 10])),
      Mode(terminator: [97, 97, 13], model: .literal([97, 97, 13])),
      Mode(terminator: [13, 10, 13, 97], model: .literal([13, 10, 13, 97])),
    ]
  }

  /// Terminators and halves of them are frequent, and so is running into the limit.
  private static let alphabet: [UInt8] = [10, 13, 97, 97, 98]
  private static let limit = 8

  @Test("any bytes, cut anyhow, come to what the model says", arguments: Mode.all)
  func decoding(mode: Mode) throws {
    var random = SeededGenerator(seed: 1)
    let framing = try LineFraming(mode.terminator, maximumLength: Self.limit).bytes
    let model = LineModel(terminator: mode.model, maximumLength: Self.limit)
    for _ in 0..<400 {
      let stream = random.bytes(.random(in: 0...40, using: &random), from: Self.alphabet)
      let reads = random.split(stream)
      let expected = model.lines(stream)
      let lines = Outcome(of: framing, reads: reads, ended: true)
      let whole = Outcome(of: framing.keepingTerminator, reads: reads, ended: true)
      #expect(lines.frames == expected.content, "\(reads)")
      #expect(whole.frames == expected.whole, "\(reads)")
      #expect(lines.error == whole.error)
      let offset = expected.whole.joined().count
      #expect(lines.error == (expected.isTooLong ? .tooLong(limit: 8, seen: 9, offset: UInt64(offset)) : nil))
      #expect(Array(whole.frames.joined()) + whole.pending == stream, "\(reads)")
    }
  }

  @Test("literals that repeat themselves are found wherever the model finds them")
  func repetitiveLiterals() throws {
    var random = SeededGenerator(seed: 5)
    for _ in 0..<1_500 {
      let literal = random.bytes(.random(in: 1...8, using: &random), from: [97, 98])
      let framing = try LineFraming(LineTerminator(literal)).bytes
      // Pieces of the terminator itself, so that near misses abound.
      let stream = (0..<6).flatMap { _ in literal.prefix(.random(in: 0...8, using: &random)) }
      #expect(
        Outcome(of: framing, reads: random.split(stream), ended: true)
          == Outcome(LineModel(terminator: .literal(literal)).lines(stream).content),
        "\(literal) in \(stream)")
    }
  }

  @Test("every way of cutting a stream comes to the same", arguments: Mode.all)
  func everySplit(mode: Mode) throws {
    var random = SeededGenerator(seed: 2)
    let framing = try LineFraming(mode.terminator, maximumLength: Self.limit).bytes
    for _ in 0..<12 {
      let stream = random.bytes(.random(in: 0...16, using: &random), from: Self.alphabet)
      for ended in [true, false] {
        _ = decodeEveryWay(framing, [stream], ended: ended)
        _ = decodeEveryWay(framing.keepingTerminator, [stream], ended: ended)
      }
    }
  }

  @Test("what is encoded decodes to the same lines", arguments: Mode.all)
  func roundTrip(mode: Mode) throws {
    var random = SeededGenerator(seed: 3)
    let framing = try LineFraming(mode.terminator).bytes
    for _ in 0..<200 {
      // No byte of any terminator, so that what is sent is what is received.
      let lines = (0..<Int.random(in: 0...6, using: &random)).map { _ in
        random.bytes(.random(in: 0...9, using: &random), from: [0, 98, 99, 0xFF])
      }
      var output: [UInt8] = []
      for line in lines { try framing.makeEncoder().encode(line, into: &output) }
      #expect(Outcome(of: framing, reads: random.split(output), ended: true) == Outcome(lines))
    }
  }
}
