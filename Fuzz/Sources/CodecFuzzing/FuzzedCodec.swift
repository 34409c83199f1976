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

extension ModelOutcome: Sendable where Frame: Sendable {}

/// Compares what a codec makes of the stream at once, in reads, byte by byte, and what the model says.
///
/// - Parameters:
///   - framing: The codec.
///   - input: The stream and its reads.
///   - joined: Brings frames that depend on the reads into a form that does not.
///   - model: What should come of the stream; what comes of it at once if there is no model.
func compare<F: Framing>(
  _ framing: F, _ input: FuzzInput, joined: ([F.Decoder.Frame]) -> [F.Decoder.Frame] = { $0 },
  with model: ModelOutcome<F.Decoder.Frame>? = nil
) -> String? where F.Decoder.Frame: Equatable {
  let atOnce = FuzzRun(framing, [Array(input.stream)])
  let model = model ?? ModelOutcome(frames: atOnce.frames, error: atOnce.error)
  let cut = [("in reads", input.reads), ("byte by byte", input.stream.map { [$0] })]
  let runs = [("at once", atOnce)] + cut.map { ($0, FuzzRun(framing, $1)) }
  for (way, run) in runs {
    if let finding = run.finding { return "\(F.self) \(way): \(finding)" }
    let isSame = joined(run.frames) == joined(model.frames) && areSame(run.error, model.error)
    if isSame, run.error != nil || run.pending == atOnce.pending { continue }
    return """
      \(F.self) \(way): \(run.frames), error \(run.error.map { "\($0)" } ?? "none"), left \(run.pending ?? [])
      should be: \(model.frames), error \(model.error.map { "\($0)" } ?? "none"), left \(atOnce.pending ?? [])
      limit \(input.limit), reads \(input.reads)
      """
  }
  return nil
}

/// A model names no text.
private func areSame(_ error: FramingError?, _ model: FramingError?) -> Bool {
  if case .malformed("", let offset) = model, case .malformed(_, offset) = error { return true }
  return error == model
}

/// Sends the reads as frames, and compares what comes back when the bytes are cut as the input says.
///
/// A frame that the encoder refuses is left out, and must have left the encoder as it was.
func sendAndReceive<F: Framing>(
  _ framing: F, _ frames: [F.Encoder.Frame], _ input: FuzzInput
) -> String? where F.Encoder.Frame == F.Decoder.Frame, F.Decoder.Frame: Equatable {
  var encoder = framing.makeEncoder()
  var sent: [F.Encoder.Frame] = []
  var bytes: [UInt8] = []
  for frame in frames {
    var next = encoder
    var output = bytes
    guard (try? next.encode(frame, into: &output)) != nil else { continue }
    guard output.starts(with: bytes) else { return "\(F.self): the encoder changed what was there" }
    (encoder, bytes) = (next, output)
    sent.append(frame)
  }
  let run = FuzzRun(framing, input.cut(bytes))
  if let finding = run.finding { return "\(F.self), sent: \(finding)" }
  return run.frames == sent && run.error == nil
    ? nil : "\(F.self): sent \(sent), came \(run.frames), error \(run.error.map { "\($0)" } ?? "none")"
}

/// Both, for a codec that takes any bytes as a frame.
func check<F: Framing>(
  _ framing: F, _ input: FuzzInput, with model: ModelOutcome<[UInt8]>? = nil
) -> String? where F.Encoder.Frame == [UInt8], F.Decoder.Frame == [UInt8] {
  compare(framing, input, with: model) ?? sendAndReceive(framing, input.reads, input)
}
