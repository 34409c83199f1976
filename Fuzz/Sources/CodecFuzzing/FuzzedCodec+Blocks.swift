import Framing

extension FuzzedCodec {
  static let blocks: [FuzzedCodec] = [
    FuzzedCodec("fixed-length") { input in
      guard let framing = try? FixedLengthFraming(input.limit) else { return "no framing" }
      let model = BlockModel.frames(input.stream) { rest, _ in
        rest.count < input.limit ? .unfinished : .frame(Array(rest.prefix(input.limit)), size: input.limit)
      }
      return check(framing, input, with: model)
    },
    FuzzedCodec("length-integer", checkIntegers),
    FuzzedCodec("length-varint") { input in
      guard let framing = try? LengthPrefixFraming(.varint, maximumLength: input.limit) else {
        return "no framing"
      }
      return check(framing, input, with: varints(input))
    },
    FuzzedCodec("length-decimal") { input in
      guard let framing = try? LengthPrefixFraming(.decimal, maximumLength: input.limit) else {
        return "no framing"
      }
      let model = BlockModel.prefixed(input.stream, limit: input.limit) { rest, offset throws(FramingError) in
        try decimal(rest, offset, endedBy: 0)
      }
      return check(framing, input, with: model)
    },
    FuzzedCodec("netstring") { input in
      guard let framing = try? NetstringFraming(maximumLength: input.limit) else { return "no framing" }
      return check(framing, input, with: netstrings(input))
    },
    FuzzedCodec("header", checkHeaders),
    FuzzedCodec("tlv", checkRecords),
    FuzzedCodec("slip") { input in checkSLIP(input, .fail) ?? checkSLIP(input, .skip) },
    FuzzedCodec("cobs") { input in checkCOBS(input, .fail) ?? checkCOBS(input, .skip) },
    FuzzedCodec("stx-etx") { input in
      let mask: UInt8 = input.take(atMost: 1)[0] & 1 == 0 ? 0 : 0x20
      for badFrames in [BadFrames.fail, .skip] {
        guard let framing = try? STXETXFraming(mask: mask, maximumLength: input.limit, badFrames: badFrames)
        else {
          return "no framing"
        }
        if let finding = check(framing, input) { return finding }
      }
      return nil
    },
  ]
}

/// Integers of every width, order and adjustment that the input asks for.
private func integerField(_ input: inout FuzzInput) -> (field: IntegerField, length: ([UInt8]) -> UInt64?) {
  let choice = Int(input.take(atMost: 1)[0])
  let field = [IntegerField.uint8, .uint16, .uint24, .uint32, .uint64][choice % 5]
  let isLittle = choice & 0x80 != 0
  let adjustment = [0, -field.width, 3, -1][choice / 5 % 4]
  let adjusted = field.adjusted(by: adjustment)
  return (
    isLittle ? adjusted.littleEndian : adjusted,
    { bytes in
      let value = BlockModel.integer(isLittle ? bytes.reversed() : bytes)
      if adjustment >= 0 { return value > .max - UInt64(adjustment) ? .max : value + UInt64(adjustment) }
      return value < UInt64(-adjustment) ? nil : value - UInt64(-adjustment)
    }
  )
}

private func checkIntegers(_ input: inout FuzzInput) -> String? {
  let (field, length) = integerField(&input)
  let (limit, emptyRun) = (input.limit, input.limit % 4)
  guard let framing = try? LengthPrefixFraming(field, maximumLength: limit, maximumEmptyRun: emptyRun) else {
    return "no framing"
  }
  let model = BlockModel.prefixed(input.stream, limit: limit, maximumEmptyRun: emptyRun) {
    rest, offset throws(FramingError) in
    guard rest.count >= field.width else { return nil }
    guard let content = length(Array(rest.prefix(field.width))) else { throw .malformed("", offset: offset) }
    return (field.width, content)
  }
  // Too many empty frames in a row can be sent, and are not taken.
  let frames = input.reads.filter { !$0.isEmpty }
  return compare(framing, input, with: model) ?? sendAndReceive(framing, frames, input)
}

private func checkHeaders(_ input: inout FuzzInput) -> String? {
  let (field, length) = integerField(&input)
  let place = Int(input.take(atMost: 1)[0]) % 4
  let size = place + field.width + Int(input.take(atMost: 1)[0]) % 3
  let limit = max(size, input.limit)
  guard let framing = try? HeaderFraming(length: size, field: field, at: place, maximumLength: limit) else {
    return "no framing"
  }
  let model = BlockModel.frames(input.stream) { rest, offset in
    guard rest.count >= size else { return .unfinished }
    guard let content = length(Array(rest[place..<(place + field.width)])) else {
      return .wrong(.malformed("", offset: offset + UInt64(place)))
    }
    let total = content > .max - UInt64(size) ? .max : content + UInt64(size)
    if total > UInt64(limit) {
      return .wrong(.tooLong(limit: limit, seen: Int(clamping: total), offset: offset))
    }
    return rest.count < Int(total) ? .unfinished : .frame(Array(rest.prefix(Int(total))), size: Int(total))
  }
  return compare(framing, input, with: model)
}

private func checkRecords(_ input: inout FuzzInput) -> String? {
  let (type, _) = integerField(&input)
  let (field, length) = integerField(&input)
  guard let framing = try? TLVFraming(type: type, length: field, maximumLength: input.limit) else {
    return "no framing"
  }
  let header = type.width + field.width
  var types: [UInt64] = []
  let model = BlockModel.prefixed(input.stream, limit: input.limit, maximumEmptyRun: .max) {
    rest, offset throws(FramingError) in
    guard rest.count >= header else { return nil }
    guard let content = length(Array(rest[type.width..<header])) else {
      throw .malformed("", offset: offset + UInt64(type.width))
    }
    let bytes = rest.prefix(type.width)
    types.append(BlockModel.integer(type.isLittleEndian ? Array(bytes.reversed()) : Array(bytes)))
    return (header, content)
  }
  let records = zip(types, model.frames).map { TLVFraming.Record(type: $0, value: $1) }
  let sent = input.reads.enumerated().map { TLVFraming.Record(type: UInt64($0 % 300), value: $1) }
  return compare(framing, input, with: ModelOutcome(frames: records, error: model.error))
    ?? sendAndReceive(framing, sent, input)
}

private func varints(_ input: FuzzInput) -> ModelOutcome<[UInt8]> {
  BlockModel.prefixed(input.stream, limit: input.limit) { rest, offset throws(FramingError) in
    let prefix = rest.prefix(10)
    guard let last = prefix.firstIndex(where: { $0 < 0x80 }) else {
      if prefix.count == 10 { throw .malformed("", offset: offset) }
      return nil
    }
    if last == 9, prefix[9] > 1 { throw .malformed("", offset: offset) }
    let value = prefix[...last].reversed().reduce(UInt64(0)) { $0 << 7 | UInt64($1 & 0x7F) }
    return (last + 1, value)
  }
}

private func decimal(
  _ rest: [UInt8], _ offset: UInt64, endedBy end: UInt8
) throws(FramingError) -> (prefix: Int, content: UInt64)? {
  let digits = rest.prefix { (0x30...0x39).contains($0) }
  if digits.count > 20 { throw .malformed("", offset: offset) }
  guard digits.count < rest.count else { return nil }
  guard !digits.isEmpty, rest[digits.count] == end else {
    throw .malformed("", offset: offset + UInt64(digits.count))
  }
  return (digits.count + 1, UInt64(String(decoding: digits, as: UTF8.self)) ?? .max)
}

private func netstrings(_ input: FuzzInput) -> ModelOutcome<[UInt8]> {
  BlockModel.frames(input.stream) { rest, offset in
    if rest.count > 1, rest[0] == 0x30, rest[1] != 0x3A { return .wrong(.malformed("", offset: offset)) }
    do throws(FramingError) {
      guard let (prefix, content) = try decimal(rest, offset, endedBy: 0x3A) else { return .unfinished }
      if content > UInt64(input.limit) {
        return .wrong(.tooLong(limit: input.limit, seen: Int(clamping: content), offset: offset))
      }
      let end = prefix + Int(content)
      guard rest.count > end else { return .unfinished }
      guard rest[end] == 0x2C else { return .wrong(.malformed("", offset: offset + UInt64(end))) }
      return .frame(Array(rest[prefix..<end]), size: end + 1)
    } catch {
      return .wrong(error)
    }
  }
}

private func checkSLIP(_ input: FuzzInput, _ badFrames: BadFrames) -> String? {
  guard let framing = try? SLIPFraming(maximumLength: input.limit, badFrames: badFrames) else {
    return "no framing"
  }
  let model = BlockModel.packets(input.stream, endedBy: 0xC0, skipsBadFrames: badFrames == .skip) {
    packet, isWhole throws(FramingError) in
    try BlockModel.unescaped(packet, limit: input.limit, isWhole: isWhole)
  }
  return check(framing, input, with: model)
}

private func checkCOBS(_ input: FuzzInput, _ badFrames: BadFrames) -> String? {
  guard let framing = try? COBSFraming(maximumLength: input.limit, badFrames: badFrames) else {
    return "no framing"
  }
  let model = BlockModel.packets(input.stream, endedBy: 0, skipsBadFrames: badFrames == .skip) {
    packet, isWhole throws(FramingError) in
    try BlockModel.unstuffed(packet, limit: input.limit, isWhole: isWhole)
  }
  return check(framing, input, with: model)
}
