public import Framing

// Pieces of a stream. Each waits until its piece is whole and takes exactly its bytes; one that throws, for a deadline,
// a cancellation or bytes that do not fit, has taken none of them.

extension Connection {
  /// The next frame, as a decoder of the caller's cuts it: for protocols that change their framing from one message to
  /// the next.
  ///
  /// - Parameters:
  ///   - decoder: takes the frame from the front of what has arrived, and keeps nothing but its own state.
  ///   - deadline: when to give up.
  /// - Returns: the frame; `nil` at the end of the stream.
  /// - Throws: `FramingError`; as `read(atMost:deadline:)`.
  @inlinable
  public func read<Decoder: FrameDecoder>(
    using decoder: inout Decoder, deadline: Deadline = .never
  ) async throws -> Decoder.Frame? {
    // How far a decoder has searched is its own business: whoever had the bytes before, or gets them next, is another.
    var isFirst = true
    let wasWithinFrame = decoder.isMidFrame(ReceiveBuffer())
    defer {
      let isWithinFrame = decoder.isMidFrame(ReceiveBuffer())
      if isWithinFrame || wasWithinFrame { core.noteDecoder(isWithinFrame: isWithinFrame) }
    }
    do {
      return try await core.nextFrame(deadline: deadline, operation: "read") { isFinishing in
        if isFirst { core.reading.contents.buffer.forgetSearch() }
        isFirst = false
        return try core.takeFrame(isFinishing: isFinishing, &decoder)
      }
    } catch {
      core.forgetSearch()
      throw error
    }
  }

  /// Reads exactly so many bytes.
  ///
  /// Memory grows with the bytes that come, whatever the count.
  ///
  /// - Parameters:
  ///   - count: how many; none are there at once, also at the end of the stream.
  ///   - deadline: when to give up.
  /// - Returns: the bytes; `nil` if the stream ends and not one byte came.
  /// - Throws: `FramingError.truncated` when the stream ends before the last of them, which can still be read as chunks;
  ///   as `read(atMost:deadline:)`.
  public func read(exactly count: Int, deadline: Deadline = .never) async throws -> [UInt8]? {
    guard count != 0 else {
      return try await core.nextFrame(deadline: deadline, operation: "read") { _ in .frame([]) }
    }
    guard count > 0 else { throw SocketError.invalid("a read takes 0 bytes or more, not \(count)") }
    var decoder = try FixedLengthFraming(count).makeDecoder()
    return try await read(using: &decoder, deadline: deadline)
  }

  /// Reads up to a delimiter, which is taken too, and not returned.
  ///
  /// - Parameters:
  ///   - delimiter: at least 1 byte.
  ///   - limit: the most bytes before the delimiter, at least 1; 65,536 by default.
  ///   - deadline: when to give up.
  /// - Returns: the bytes before the delimiter; `nil` at the end of the stream.
  /// - Throws: `FramingError.tooLong` when the delimiter is not among the bytes up to the limit, `.truncated` when the
  ///   stream ends without it, and what has come can still be read as chunks; as `read(atMost:deadline:)`.
  public func read(
    until delimiter: [UInt8], atMost limit: Int = LineFraming.defaultMaximumLength,
    deadline: Deadline = .never
  ) async throws -> [UInt8]? {
    guard !delimiter.isEmpty else { throw SocketError.invalid("a delimiter needs at least 1 byte") }
    guard limit > 0 else {
      throw SocketError.invalid("a read up to a delimiter needs a limit of at least 1 byte, not \(limit)")
    }
    let terminator = LineTerminator(delimiter)
    let framing = try LineFraming(terminator, maximumLength: limit, unfinishedLastLine: .fail).bytes
    var decoder = framing.makeDecoder()
    return try await read(using: &decoder, deadline: deadline)
  }

  /// Reads an integer, most significant byte first unless said otherwise.
  ///
  /// ```swift
  /// let length = try await connection.read(UInt16.self)
  /// let offset = try await connection.read(Int32.self, .little)
  /// ```
  ///
  /// - Returns: the integer; `nil` at the end of the stream.
  /// - Throws: as `read(exactly:deadline:)`.
  public func read<Integer: FixedWidthInteger>(
    _ type: Integer.Type, _ order: ByteOrder = .big, deadline: Deadline = .never
  ) async throws -> Integer? {
    try await read(exactly: Integer.bitWidth / 8, deadline: deadline).map { order.integer(of: $0) }
  }

  /// Looks at what has arrived and leaves it there: to tell protocols apart by their first bytes.
  ///
  /// - Parameters:
  ///   - count: how many bytes to wait for, from 1 to 65,536.
  ///   - deadline: when to give up.
  /// - Returns: what has arrived, at least `count` bytes, or fewer when the stream ends with them; `nil` at its end.
  /// - Throws: as `read(atMost:deadline:)`.
  public func peek(atLeast count: Int = 1, deadline: Deadline = .never) async throws -> [UInt8]? {
    guard (1...ScratchBuffer.size).contains(count) else {
      throw SocketError.invalid("peek waits for 1 to \(ScratchBuffer.size) bytes, not \(count)")
    }
    return try await core.nextFrame(deadline: deadline, operation: "peek") { isFinishing in
      if core.reading.contents.isDrained { return .end }
      let buffer = core.reading.contents.buffer.count
      if buffer >= count { return .frame(core.reading.contents.buffer.pending) }
      guard core.reading.contents.hasEnded || isFinishing else { return .needsBytes }
      return buffer == 0 ? .end : .frame(core.reading.contents.buffer.pending)
    }
  }

  /// Takes the bytes that have been received and that nobody has read yet, without asking the kernel for more: what a
  /// codec left over, or `peek` looked at.
  ///
  /// - Throws: `SocketError.busy` while a task reads; once this side has closed the connection, what reads throw then.
  public func takeLeftovers() throws(SocketError) -> [UInt8] {
    try core.reading.claim(for: "takeLeftovers")
    defer { core.reading.release() }
    try core.checkIsNotOver()
    return core.reading.contents.buffer.takeAll()
  }
}

extension ConnectionCore {
  /// Whoever decodes next looks at every byte. Nothing to do while another task reads, who has seen to it.
  @inline(never) @usableFromInline
  func forgetSearch() {
    guard (try? reading.claim(for: "read")) != nil else { return }
    reading.contents.buffer.forgetSearch()
    reading.release()
  }
}
