import Framing

extension FuzzedCodec {
  /// Every codec that is fuzzed. A new one is an entry here, and a directory in Fuzz/Corpus.
  package static let all: [FuzzedCodec] = lines + blocks + combinators

  private static let lines: [FuzzedCodec] = [
    lines("lines-newline", .newline, .newline),
    lines("lines-any-newline", .anyNewline, .anyNewline),
    lines("lines-autodetect", .autodetect, .autodetect),
    FuzzedCodec("lines-literal") { input in
      let literal = input.take(atMost: Int(input.take(atMost: 1)[0]) % 6 + 1)
      return compareLines(LineTerminator(literal), .literal(literal), input)
    },
    FuzzedCodec("lines-one-of") { input in
      let alternatives = (0..<3).map { _ in input.take(atMost: Int(input.take(atMost: 1)[0]) % 3 + 1) }
      return compareLines(.oneOf(alternatives), .oneOf(alternatives), input)
    },
    FuzzedCodec("lines-run") { input in
      let bytes = input.take(atMost: Int(input.take(atMost: 1)[0]) % 2 + 1)
      let minimum = Int(input.take(atMost: 1)[0]) % 3 + 1
      return compareRuns(bytes, minimum, input)
    },
    FuzzedCodec("lines-skip", compareSkipped),
    FuzzedCodec("lines-unfinished-fails", compareUnfinished),
    FuzzedCodec("raw") { input in
      let model = ModelOutcome(frames: [Array(input.stream)])
      return compare(RawFraming(), input, joined: { [Array($0.joined())] }, with: model)
    },
  ]

  private static func lines(
    _ name: String, _ terminator: LineTerminator, _ model: LineModel.Terminator
  ) -> FuzzedCodec {
    FuzzedCodec(name) { input in compareLines(terminator, model, input) }
  }
}

/// Lines as bytes, as text and with their terminators.
private func compareLines(
  _ terminator: LineTerminator, _ model: LineModel.Terminator, _ input: FuzzInput
) -> String? {
  guard let framing = try? LineFraming(terminator, maximumLength: input.limit) else { return "no framing" }
  let lines = LineModel(terminator: model, maximumLength: input.limit).lines(Array(input.stream))
  let end = UInt64(lines.whole.joined().count)
  let error: FramingError? =
    lines.isTooLong ? .tooLong(limit: input.limit, seen: input.limit + 1, offset: end) : nil
  return compare(framing.bytes, input, with: ModelOutcome(frames: lines.content, error: error))
    ?? compare(framing.bytes.keepingTerminator, input, with: ModelOutcome(frames: lines.whole, error: error))
    ?? compare(framing, input, with: text(lines.content, lines.whole, error))
    ?? compare(framing.keepingTerminator, input, with: text(lines.whole, lines.whole, error))
}

/// The frames as text, up to the first that is none.
private func text(
  _ frames: [[UInt8]], _ whole: [[UInt8]], _ error: FramingError?
) -> ModelOutcome<String> {
  var texts: [String] = []
  var offset = 0
  for (frame, whole) in zip(frames, whole) {
    guard let text = String(validating: frame, as: UTF8.self) else {
      // What is wrong begins where the longest prefix that is right ends.
      let right = (0..<frame.count).last { String(validating: frame.prefix($0), as: UTF8.self) != nil } ?? 0
      return ModelOutcome(frames: texts, error: .invalidUTF8(offset: UInt64(offset + right)))
    }
    texts.append(text)
    offset += whole.count
  }
  return ModelOutcome(frames: texts, error: error)
}

/// Lines between runs of bytes. One that keeps its run is held to the limit as a whole, for which there is no model.
private func compareRuns(_ bytes: [UInt8], _ minimum: Int, _ input: FuzzInput) -> String? {
  guard let framing = try? LineFraming(.run(of: bytes, atLeast: minimum), maximumLength: input.limit).bytes
  else {
    return "no framing"
  }
  let model = LineModel(terminator: .run(bytes, atLeast: minimum), maximumLength: input.limit)
  let lines = model.lines(Array(input.stream))
  let end = UInt64(lines.whole.joined().count)
  let error: FramingError? =
    lines.isTooLong ? .tooLong(limit: input.limit, seen: input.limit + 1, offset: end) : nil
  return compare(framing, input, with: ModelOutcome(frames: lines.content, error: error))
    ?? compare(framing.keepingTerminator, input)
}

/// Lines of which those that are too long, or no text, are left out.
private func compareSkipped(_ input: inout FuzzInput) -> String? {
  let literal = input.take(atMost: 2)
  let (terminator, kind): (LineTerminator, LineModel.Terminator) =
    switch input.take(atMost: 1)[0] % 4 {
    case 0: (.newline, .newline)
    case 1: (.anyNewline, .anyNewline)
    case 2: (.autodetect, .autodetect)
    default: (LineTerminator(literal), .literal(literal))
    }
  guard let framing = try? LineFraming(terminator, maximumLength: input.limit, badFrames: .skip) else {
    return "no framing"
  }
  let lines = LineModel(terminator: kind, maximumLength: .max).lines(Array(input.stream))
  let kept = lines.content.filter { $0.count <= input.limit }
  let whole = zip(lines.content, lines.whole).filter { $0.0.count <= input.limit }.map(\.1)
  return compare(framing.bytes, input, with: ModelOutcome(frames: kept))
    ?? compare(framing.bytes.keepingTerminator, input, with: ModelOutcome(frames: whole))
    ?? compare(
      framing, input, with: ModelOutcome(frames: kept.compactMap { String(validating: $0, as: UTF8.self) }))
}

/// Lines of which the last must have its end.
private func compareUnfinished(_ input: inout FuzzInput) -> String? {
  let limit = input.limit
  let stream = Array(input.stream)
  guard let framing = try? LineFraming(maximumLength: limit, unfinishedLastLine: .fail) else {
    return "no framing"
  }
  // What is finished is told apart by its last LF.
  let tail = stream.suffix(from: (stream.lastIndex(of: 10) ?? -1) + 1)
  let finished = Array(stream[..<tail.startIndex])
  let lines = LineModel(terminator: .newline, maximumLength: limit).lines(finished)
  var model = ModelOutcome(frames: lines.content)
  if lines.isTooLong {
    let end = UInt64(lines.whole.joined().count)
    model.error = .tooLong(limit: limit, seen: limit + 1, offset: end)
  } else if tail.count - (tail.last == 13 ? 1 : 0) > limit {
    model.error = .tooLong(limit: limit, seen: limit + 1, offset: UInt64(finished.count))
  } else if !tail.isEmpty {
    model.error = .truncated(held: tail.count, offset: UInt64(finished.count))
  }
  return compare(framing.bytes, input, with: model)
}
