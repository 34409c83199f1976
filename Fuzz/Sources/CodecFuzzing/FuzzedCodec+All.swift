import Framing

extension FuzzedCodec {
  /// Every codec that is fuzzed. A new one is an entry here, and a directory in Fuzz/Corpus.
  package static let all: [FuzzedCodec] = [
    lines("lines-newline", .newline, .newline),
    lines("lines-any-newline", .anyNewline, .anyNewline),
    lines("lines-autodetect", .autodetect, .autodetect),
    FuzzedCodec("lines-literal") { input in
      let literal = input.take(atMost: Int(input.take(atMost: 1)[0]) % 6 + 1)
      return compareLines(LineTerminator(literal), .literal(literal), input)
    },
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
