extension STXETXFraming {
  /// Takes frames from a buffer.
  public struct Parser: FrameDecoder {
    /// How many times bytes that made no good frame have been dropped, if the framing says that they are.
    public private(set) var skippedFrames = 0

    private let bytes: ControlBytes
    private let limit: Int
    private let skips: Bool
    /// How many bytes of content are among those that have been searched.
    private var size = 0
    /// Whether the last byte searched is an escape.
    private var isEscaped = false
    /// Whether bytes between frames have been dropped, and no start has come.
    private var isSkipping = false

    init(bytes: ControlBytes, limit: Int, skips: Bool) {
      self.bytes = bytes
      self.limit = limit
      self.skips = skips
    }

    /// The next frame; `nil` if none has ended yet.
    ///
    /// - Throws: ``FramingError/tooLong(limit:seen:offset:)``, or ``FramingError/malformed(_:offset:)`` for what
    ///   is not between a start and an end, and for an escape before a start or an end that no mask hides.
    public mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [UInt8]? {
      while !buffer.isEmpty {
        if buffer[0] != bytes.start {
          try skip(
            buffer.firstIndex(of: bytes.start) ?? buffer.count, of: &buffer,
            else: .malformed(
              "a frame begins with a byte of value \(buffer[0]) instead of \(bytes.start)",
              offset: buffer.offset))
          continue
        }
        isSkipping = false
        switch scan(&buffer) {
        case .unfinished: return nil
        case .end(let end):
          let content = content(buffer, end)
          buffer.consume(end + 1)
          return content
        case .control(let place):
          // A start may begin a good frame; an end after an escape belongs to the bad one.
          let isStart = buffer[place] == bytes.start
          try skip(
            isStart ? place : place + 1, of: &buffer,
            else: .malformed(
              "a byte of value \(buffer[place]) inside a frame", offset: buffer.offset + UInt64(place)))
          isSkipping = false
        case .tooLong(let place):
          try skip(
            place + 1, of: &buffer, else: .tooLong(limit: limit, seen: limit + 1, offset: buffer.offset))
        }
      }
      return nil
    }

    private mutating func skip(
      _ count: Int, of buffer: inout ReceiveBuffer, else error: FramingError
    ) throws(FramingError) {
      guard skips else { throw error }
      if !isSkipping { skippedFrames += 1 }
      isSkipping = true
      buffer.discard(count)
    }

    private enum Finding {
      case unfinished
      case end(Int)
      /// A start inside the frame, or a start or an end after an escape that should have hidden it.
      case control(Int)
      case tooLong(Int)
    }

    private mutating func scan(_ buffer: inout ReceiveBuffer) -> Finding {
      if buffer.searched == 0 {
        size = 0
        isEscaped = false
      }
      for index in Swift.max(1, buffer.searched)..<Swift.max(1, buffer.count) {
        let byte = buffer[index]
        let isHidden = isEscaped && bytes.mask == 0
        if !isHidden, byte == bytes.start || (isEscaped && byte == bytes.end) { return .control(index) }
        if !isEscaped, byte == bytes.end { return .end(index) }
        isEscaped = !isEscaped && byte == bytes.escape
        if isEscaped { continue }
        size += 1
        if size > limit { return .tooLong(index) }
      }
      buffer.searched = buffer.count
      return .unfinished
    }

    private func content(_ buffer: borrowing ReceiveBuffer, _ end: Int) -> [UInt8] {
      var content: [UInt8] = []
      content.reserveCapacity(size)
      var index = 1
      // Without an escape in this frame, looking for one would go on into those that follow.
      while content.count + end - index > size,
        let hit = buffer.firstIndex(of: bytes.escape, from: index)
      {
        buffer.copy(index..<hit, to: &content)
        content.append(buffer[hit + 1] ^ bytes.mask)
        index = hit + 2
      }
      buffer.copy(index..<end, to: &content)
      return content
    }
  }
}
