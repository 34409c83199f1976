import Framing

/// How blocks follow each other, written as plainly as possible, from the whole stream at once.
enum BlockModel {
  /// What a plain parser finds at the front of the rest of a stream.
  enum Finding {
    /// So many bytes make this frame; `nil` for bytes that make none.
    case frame([UInt8]?, size: Int)
    case unfinished
    case wrong(FramingError)
  }

  /// The frames of a stream, as long as the parser finds any.
  static func frames(
    _ stream: ArraySlice<UInt8>, skipsBadFrames: Bool = false,
    _ parse: (_ rest: [UInt8], _ offset: UInt64) -> Finding
  ) -> ModelOutcome<[UInt8]> {
    var model = ModelOutcome<[UInt8]>(frames: [])
    var rest = Array(stream)
    var offset: UInt64 = 0
    while !rest.isEmpty {
      switch parse(rest, offset) {
      case .frame(let frame, let size):
        if let frame { model.frames.append(frame) }
        rest.removeFirst(size)
        offset += UInt64(size)
      case .unfinished:
        model.error = .truncated(held: rest.count, offset: offset)
        return model
      case .wrong(let error):
        model.error = error
        return model
      }
    }
    return model
  }

  /// Blocks after their lengths.
  ///
  /// - Parameters:
  ///   - overhead: How many bytes after the content belong to the block.
  ///   - length: The length at the front and how many bytes it takes; `nil` if that is not whole. Errors have no text.
  static func prefixed(
    _ stream: ArraySlice<UInt8>, limit: Int, overhead: Int = 0, maximumEmptyRun: Int = 1_000,
    _ length: @escaping ([UInt8], UInt64) throws(FramingError) -> (prefix: Int, content: UInt64)?
  ) -> ModelOutcome<[UInt8]> {
    var emptyRun = 0
    return frames(stream) { rest, offset in
      do throws(FramingError) {
        guard let sizes = try length(rest, offset) else { return .unfinished }
        if sizes.content > UInt64(limit) {
          return .wrong(.tooLong(limit: limit, seen: Int(clamping: sizes.content), offset: offset))
        }
        let end = sizes.prefix + Int(sizes.content)
        if rest.count < end + overhead { return .unfinished }
        emptyRun = sizes.content == 0 ? emptyRun + 1 : 0
        if emptyRun > maximumEmptyRun { return .wrong(.malformed("", offset: offset)) }
        return .frame(Array(rest[sizes.prefix..<end]), size: end + overhead)
      } catch {
        return .wrong(error)
      }
    }
  }

  /// An integer, most significant byte first.
  static func integer(_ bytes: some Sequence<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

  /// Packets that a byte ends.
  ///
  /// - Parameter unpack: What a packet stands for; an error counts from the packet's beginning.
  static func packets(
    _ stream: ArraySlice<UInt8>, endedBy end: UInt8, skipsBadFrames: Bool,
    _ unpack: ([UInt8], _ isWhole: Bool) throws(FramingError) -> [UInt8]
  ) -> ModelOutcome<[UInt8]> {
    frames(stream) { rest, offset in
      let whole = rest.firstIndex(of: end)
      let packet = Array(rest[..<(whole ?? rest.count)])
      let size = packet.count + (whole == nil ? 0 : 1)
      if packet.isEmpty { return .frame(nil, size: size) }
      do throws(FramingError) {
        let frame = try unpack(packet, whole != nil)
        return whole == nil ? .unfinished : .frame(frame, size: size)
      } catch {
        if skipsBadFrames { return .frame(nil, size: size) }
        switch error {
        case .tooLong(let limit, let seen, _):
          return .wrong(.tooLong(limit: limit, seen: seen, offset: offset))
        case .malformed(_, let place): return .wrong(.malformed("", offset: offset + place))
        default: return .wrong(error)
        }
      }
    }
  }

  /// A SLIP packet without its escapes.
  static func unescaped(_ packet: [UInt8], limit: Int, isWhole: Bool) throws(FramingError) -> [UInt8] {
    // Each escape is one byte with what follows it, be that another escape.
    var size = 0
    var isEscaped = false
    for byte in packet {
      isEscaped = !isEscaped && byte == 0xDB
      if !isEscaped { size += 1 }
    }
    if size > limit {
      throw .tooLong(limit: limit, seen: limit + 1, offset: 0)
    }
    guard isWhole else { return [] }
    var frame: [UInt8] = []
    var index = 0
    while index < packet.count {
      if packet[index] != 0xDB {
        frame.append(packet[index])
        index += 1
        continue
      }
      switch index + 1 < packet.count ? packet[index + 1] : 0xC0 {
      case 0xDC: frame.append(0xC0)
      case 0xDD: frame.append(0xDB)
      default: throw .malformed("", offset: UInt64(index))
      }
      index += 2
    }
    return frame
  }

  /// A COBS packet without its stuffing.
  static func unstuffed(_ packet: [UInt8], limit: Int, isWhole: Bool) throws(FramingError) -> [UInt8] {
    let tooLong = FramingError.tooLong(limit: limit, seen: limit + 1, offset: 0)
    if packet.count > limit + limit / 254 + 1 { throw tooLong }
    guard isWhole else { return [] }
    var frame: [UInt8] = []
    var index = 0
    while index < packet.count {
      let code = Int(packet[index])
      guard index + code <= packet.count else { throw .malformed("", offset: UInt64(index)) }
      frame += packet[(index + 1)..<(index + code)]
      index += code
      if code < 255, index < packet.count { frame.append(0) }
    }
    if frame.count > limit { throw tooLong }
    return frame
  }
}
