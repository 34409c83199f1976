import Framing

/// A codec and the plain model that it is held to.
package struct FuzzedCodec: Sendable {
  /// What Fuzz/run, the corpus and the crashes call it.
  package let name: String
  private let check: @Sendable (inout FuzzInput) -> String?

  /// - Parameters:
  ///   - name: What Fuzz/run, the corpus and the crashes call it.
  ///   - check: What is wrong with what comes of an input, if anything.
  init(_ name: String, _ check: @escaping @Sendable (inout FuzzInput) -> String?) {
    self.name = name
    self.check = check
  }

  /// What is wrong with what comes of a fuzzer's bytes, if anything.
  package func finding(_ bytes: [UInt8]) -> String? {
    var input = FuzzInput(bytes)
    return check(&input)
  }
}

/// What a model says of a whole stream.
struct ModelOutcome<Frame: Equatable> {
  var frames: [Frame]
  var error: FramingError?
}

/// Compares what a codec makes of the stream at once, in reads, and what the model says.
///
/// - Parameters:
///   - framing: The codec.
///   - input: The stream and its reads.
///   - joined: Brings frames that depend on the reads into a form that does not.
///   - model: What should come of the stream.
func compare<F: Framing>(
  _ framing: F, _ input: FuzzInput, joined: ([F.Decoder.Frame]) -> [F.Decoder.Frame] = { $0 },
  with model: ModelOutcome<F.Decoder.Frame>
) -> String? where F.Decoder.Frame: Equatable {
  for (way, reads) in [("at once", [Array(input.stream)]), ("in reads", input.reads)] {
    let run = FuzzRun(framing, reads)
    if let finding = run.finding { return "\(F.self) \(way): \(finding)" }
    if joined(run.frames) != joined(model.frames) || run.error != model.error {
      return """
        \(F.self) \(way): \(run.frames), error \(run.error.map { "\($0)" } ?? "none")
        the model: \(model.frames), error \(model.error.map { "\($0)" } ?? "none")
        limit \(input.limit), reads \(reads)
        """
    }
  }
  return nil
}
