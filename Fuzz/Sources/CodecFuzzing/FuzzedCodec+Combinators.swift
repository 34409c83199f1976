import Framing

extension FuzzedCodec {
  static let combinators: [FuzzedCodec] = [
    FuzzedCodec("checksum") { input in
      let checksum = [Checksum.xor8, .crc16X25, .crc32.bigEndian][Int(input.take(atMost: 1)[0]) % 3]
      for badFrames in [BadFrames.fail, .skip] {
        let framing = LengthPrefixFraming(.uint8).checksummed(checksum, badFrames: badFrames)
        if let finding = check(framing, input) { return finding }
        let escaped = STXETXFraming().checksummed(checksum, badFrames: badFrames)
        if let finding = check(escaped, input) { return finding }
      }
      return nil
    },
    FuzzedCodec("filter") { input in
      compareWords(input, { $0.filter { $0.first != 0x23 } }) { $0.bytes.filter { $0.first != 0x23 } }
    },
    FuzzedCodec("flat-map") { input in
      compareWords(input, { $0.flatMap { $0.map { [$0] } } }) { $0.bytes.flatMap { $0.map { [$0] } } }
    },
    FuzzedCodec("chunked") { input in
      let size = Int(input.take(atMost: 1)[0]) % 4 + 1
      guard let lines = try? LineFraming(maximumLength: input.limit).bytes.chunked(size),
        let blocks = try? LengthPrefixFraming(.uint8).chunked(size),
        let packets = try? SLIPFraming(maximumLength: input.limit).chunked(size, maximumLength: input.limit),
        let some = try? LineFraming(maximumLength: input.limit).bytes.filter({ $0.first != 0x23 })
          .chunked(size, maximumLength: input.limit)
      else { return "no framing" }
      return compare(lines, input) ?? compare(blocks, input) ?? compare(packets, input) ?? compare(
        some, input)
        ?? compare(blocks.map { $0.joined().map { $0 } }, input)
    },
    FuzzedCodec("stacked") { input in
      guard let lines = try? LineFraming(maximumLength: input.limit) else { return "no framing" }
      return compare(LengthPrefixFraming(.uint8).then(lines.bytes), input)
        ?? check(COBSFraming().then(.netstring), input)
        ?? sendAndReceive(LengthPrefixFraming(.varint).then(.slip), input.reads.filter { !$0.isEmpty }, input)
    },
    FuzzedCodec("messages") { input in
      compare(LineFraming().bytes.messages(Numbers()), input)
        ?? sendAndReceive(
          LengthPrefixFraming(.uint16).messages(Numbers()),
          input.reads.map { $0.reduce(0) { $0 &* 7 &+ Int($1) } % 999_983 },
          input)
    },
  ]
}

/// Lines that are made into something else, against the model's lines that are made so.
private func compareWords<F: Framing>(
  _ input: FuzzInput, _ transform: ([[UInt8]]) -> [[UInt8]], _ framing: (LineFraming) -> F
) -> String? where F.Decoder.Frame == [UInt8] {
  guard let lines = try? LineFraming(maximumLength: input.limit) else { return "no framing" }
  let model = LineModel(terminator: .newline, maximumLength: input.limit).lines(Array(input.stream))
  let end = UInt64(model.whole.joined().count)
  let error: FramingError? =
    model.isTooLong ? .tooLong(limit: input.limit, seen: input.limit + 1, offset: end) : nil
  return compare(framing(lines), input, with: ModelOutcome(frames: transform(model.content), error: error))
}

private struct Numbers: MessageCoder {
  struct NotANumber: Error {}

  func decode(_ bytes: [UInt8]) throws -> Int {
    guard let number = Int(String(decoding: bytes, as: UTF8.self)) else { throw NotANumber() }
    return number
  }

  func encode(_ number: Int) throws -> [UInt8] { Array("\(number)".utf8) }
}
