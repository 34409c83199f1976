/// The frames of another framing in groups of the same size; made by ``Framing/chunked(_:)``.
///
/// The bytes of a group stay in the buffer until it is whole, so that another codec that takes over finds all that
/// has not been delivered. The last group may be shorter.
public struct ChunkedFraming<Base: Framing>: Framing {
  fileprivate let base: Base
  fileprivate let size: Int
  fileprivate let maximumLength: Int
  fileprivate var sendsWholeChunks = false

  /// The same, with an encoder that regroups what it sends: it holds frames back until they make a whole group.
  public var sendingWholeChunks: ChunkedFraming {
    var framing = self
    framing.sendsWholeChunks = true
    return framing
  }

  /// A decoder for the start of a group.
  public func makeDecoder() -> FailStopDecoder<Parser> {
    FailStopDecoder(Parser(base: base.makeDecoder(), size: size, maximumLength: maximumLength))
  }

  /// An encoder of groups of any size.
  public func makeEncoder() -> Encoder {
    Encoder(base: base.makeEncoder(), size: size, sendsWholeChunks: sendsWholeChunks)
  }

  /// Gathers the frames of another decoder.
  public struct Parser: FrameDecoder {
    private var base: Base.Decoder
    private let size: Int
    private let maximumLength: Int
    private var chunk: [Base.Decoder.Frame] = []
    /// How many bytes at the front of the buffer have become the frames of the unfinished group.
    private var gathered = 0

    fileprivate init(base: Base.Decoder, size: Int, maximumLength: Int) {
      self.base = base
      self.size = size
      self.maximumLength = maximumLength
    }

    /// The next group; `nil` if it is not whole yet.
    ///
    /// - Throws: What the decoder underneath does, or ``FramingError/tooLong(limit:seen:offset:)`` for a group whose
    ///   bytes are above the limit.
    public mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [Base.Decoder.Frame]? {
      try gather(&buffer) { base, rest throws(FramingError) in try base.decode(&rest) }
    }

    /// The frames that are left, in groups of which the last may be shorter; `nil` if there are none.
    public mutating func finish(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [Base.Decoder.Frame]? {
      if let chunk = try gather(&buffer, { base, rest throws(FramingError) in try base.finish(&rest) }) {
        return chunk
      }
      guard !chunk.isEmpty else { return nil }
      buffer.consume(gathered)
      return takeChunk()
    }

    /// Whether a group has begun, or else what the decoder underneath says.
    public func isMidFrame(_ buffer: borrowing ReceiveBuffer) -> Bool {
      !chunk.isEmpty || base.isMidFrame(buffer)
    }

    private mutating func gather(
      _ buffer: inout ReceiveBuffer,
      _ next: (inout Base.Decoder, inout ReceiveBuffer) throws(FramingError) -> Base.Decoder.Frame?
    ) throws(FramingError) -> [Base.Decoder.Frame]? {
      // A copy shares the bytes, and consuming moves an index only.
      var rest = buffer
      rest.consume(gathered)
      rest.searched = buffer.searched - gathered
      var start = buffer.offset
      do throws(FramingError) {
        while chunk.count < size {
          guard let frame = try next(&base, &rest) else {
            gathered = Int(rest.offset - start)
            dropFiller(&buffer)
            buffer.searched = gathered + rest.searched
            try check(gathered, at: start)
            return nil
          }
          if chunk.isEmpty {
            let first = rest.frameStart(since: start)
            buffer.discard(Int(first - start))
            start = first
          }
          chunk.append(frame)
          try check(Int(rest.offset - start), at: start)
        }
      } catch {
        gathered = Int(rest.offset - start)
        dropFiller(&buffer)
        try check(gathered, at: start)
        throw error
      }
      buffer = rest
      return takeChunk()
    }

    /// Counts what is left out between the frames of a group too, which the buffer holds like them.
    private func check(_ length: Int, at start: UInt64) throws(FramingError) {
      guard length > maximumLength else { return }
      throw .tooLong(limit: maximumLength, seen: maximumLength + 1, offset: start)
    }

    /// What belongs to no frame need not be kept.
    private mutating func dropFiller(_ buffer: inout ReceiveBuffer) {
      guard chunk.isEmpty else { return }
      buffer.discard(gathered)
      gathered = 0
    }

    private mutating func takeChunk() -> [Base.Decoder.Frame] {
      defer {
        chunk = []
        gathered = 0
      }
      return chunk
    }
  }

  /// Writes the frames of groups, one after another.
  public struct Encoder: FrameEncoder {
    private var base: Base.Encoder
    private let size: Int

    /// Whether frames are held back until they make a whole group. Once it is off, the frames held back go out
    /// before those that are sent next.
    public var sendsWholeChunks: Bool
    /// The frames that are held back. They are sent with later ones or never.
    public private(set) var held: [Base.Encoder.Frame] = []

    fileprivate init(base: Base.Encoder, size: Int, sendsWholeChunks: Bool) {
      self.base = base
      self.size = size
      self.sendsWholeChunks = sendsWholeChunks
    }

    /// Appends the frames of a group, or holds some of them back if the framing says so. Throws what the encoder
    /// underneath does.
    public mutating func encode(
      _ chunk: [Base.Encoder.Frame], into output: inout [UInt8]
    ) throws(FramingError) {
      let frames = held + chunk
      let excess = sendsWholeChunks ? frames.count % size : 0
      for frame in frames.dropLast(excess) { try base.encode(frame, into: &output) }
      held = frames.suffix(excess)
    }
  }
}

extension Framing {
  /// The same frames in groups.
  ///
  /// ```swift
  /// try LineFraming().chunked(3)  // ["name", "street", "town"], ["name", …
  /// ```
  ///
  /// - Parameters:
  ///   - size: How many frames make a group; at least 1.
  ///   - maximumLength: How many bytes a group may take as it comes, with what is left out between its frames; at
  ///     least 1, by default 16,777,216.
  /// - Throws: ``FramingError/invalidConfiguration(_:)`` for a size or a limit below 1.
  public func chunked(
    _ size: Int, maximumLength: Int = 16_777_216
  ) throws(FramingError) -> ChunkedFraming<Self> {
    guard size > 0 else {
      throw .invalidConfiguration("groups of \(size) frames are never whole; make them at least 1 frame")
    }
    guard maximumLength > 0 else {
      throw .invalidConfiguration(
        "groups of at most \(maximumLength) bytes hold no frame; allow at least 1 byte")
    }
    return ChunkedFraming(base: self, size: size, maximumLength: maximumLength)
  }
}
