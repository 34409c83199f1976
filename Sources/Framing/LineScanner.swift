/// Finds where lines end: all that the text form and the byte form of line framing have in common.
struct LineScanner: Sendable {
  /// A line at the front of the buffer, to be consumed by the caller.
  struct Line {
    /// How many bytes belong to the frame.
    var kept: Int
    /// How many bytes of terminator follow that don't.
    var dropped: Int
  }

  private enum Mode {
    case newline
    case anyNewline
    case autodetect
    case literal
    case oneOf
    case run
  }

  private var mode: Mode
  /// What to look for in literal mode. Beside the mode, since inside it each line would copy it out and in.
  private var literal: LiteralSearch?
  private var alternatives: AlternativesSearch?
  private var run: RunSearch?
  private let maximumLength: Int
  private let failsUnfinished: Bool
  private let keepsTerminator: Bool
  /// The byte that would make a pair of the CR or LF that ended the last line delivered, if that was also the
  /// last byte received.
  private var mate: UInt8?
  private var failure: FramingError?

  /// Whether bad lines are dropped and counted.
  let skips: Bool
  private(set) var skippedLines = 0
  /// Whether the line at the front of the buffer is too long, and to be dropped with its terminator.
  private var isSkipping = false

  init(_ rules: LineRules) {
    switch rules.terminator.kind {
    case .newline: mode = .newline
    case .anyNewline: mode = .anyNewline
    case .autodetect: mode = .autodetect
    case .literal(let bytes):
      mode = .literal
      literal = LiteralSearch(bytes)
    case .oneOf(let bytes):
      mode = .oneOf
      alternatives = AlternativesSearch(bytes)
    case .run(let bytes, let minimum):
      mode = .run
      run = RunSearch(of: bytes, atLeast: minimum, waitsForEnd: rules.keepsTerminator)
    }
    maximumLength = rules.maximumLength
    failsUnfinished = rules.unfinishedLastLine == .fail
    keepsTerminator = rules.keepsTerminator
    skips = rules.badFrames == .skip
  }

  /// The next line that has ended; `nil` if there is none yet.
  mutating func next(_ buffer: inout ReceiveBuffer) throws(FramingError) -> Line? {
    if let failure { throw failure }
    while let line = try find(&buffer) {
      guard isSkipping else { return line }
      skip(line, of: &buffer)
    }
    return nil
  }

  private mutating func find(
    _ buffer: inout ReceiveBuffer, isLast: Bool = false
  ) throws(FramingError) -> Line? {
    if mate != nil { settleMate(&buffer) }
    switch mode {
    case .newline: return try nextNewline(&buffer)
    case .anyNewline, .autodetect: return try nextPair(&buffer)
    case .literal: return try nextLiteral(&buffer)
    case .oneOf: return try nextAlternative(&buffer, isLast: isLast)
    case .run: return try nextRun(&buffer, isLast: isLast)
    }
  }

  /// The next line at the end of the stream, be it unfinished; `nil` if nothing is left.
  mutating func last(_ buffer: inout ReceiveBuffer) throws(FramingError) -> Line? {
    if let line = try next(&buffer) { return line }
    while let line = try findLast(&buffer) {
      guard isSkipping else { return line }
      skip(line, of: &buffer)
    }
    return nil
  }

  private mutating func findLast(_ buffer: inout ReceiveBuffer) throws(FramingError) -> Line? {
    if let line = try find(&buffer, isLast: true) { return line }
    guard !buffer.isEmpty else { return nil }
    let count = buffer.count
    if isHeld(buffer) { return try line(content: count - 1, terminator: 1, in: buffer) }
    guard !failsUnfinished || isSkipping else {
      throw fail(.truncated(held: count, offset: buffer.offset))
    }
    return try line(content: count, terminator: 0, in: buffer)
  }

  /// Makes every later call throw the error, and returns it.
  mutating func fail(_ error: FramingError) -> FramingError {
    failure = error
    return error
  }

  private mutating func nextNewline(_ buffer: inout ReceiveBuffer) throws(FramingError) -> Line? {
    guard let lf = buffer.firstIndex(of: .lf, from: buffer.searched) else {
      buffer.searched = buffer.count
      let endsInCR = !buffer.isEmpty && buffer[buffer.count - 1] == .cr
      return try wait(&buffer, undecided: endsInCR ? 1 : 0)
    }
    let isPair = lf > 0 && buffer[lf - 1] == .cr
    return try line(content: isPair ? lf - 1 : lf, terminator: isPair ? 2 : 1, in: buffer)
  }

  private mutating func nextLiteral(_ buffer: inout ReceiveBuffer) throws(FramingError) -> Line? {
    guard let place = literal?.next(in: &buffer) else {
      return try wait(&buffer, undecided: literal?.matched ?? 0)
    }
    return try line(content: place.lowerBound, terminator: place.count, in: buffer)
  }

  private mutating func nextAlternative(
    _ buffer: inout ReceiveBuffer, isLast: Bool
  ) throws(FramingError) -> Line? {
    guard let place = alternatives?.next(in: &buffer, isLast: isLast) else {
      return try wait(&buffer, undecided: alternatives?.undecided ?? 0)
    }
    return try line(content: place.lowerBound, terminator: place.count, in: buffer)
  }

  private mutating func nextRun(
    _ buffer: inout ReceiveBuffer, isLast: Bool
  ) throws(FramingError) -> Line? {
    guard let place = run?.next(in: &buffer, isLast: isLast) else {
      let undecided = run?.matched ?? 0
      // What is not delivered before it ends must not be endless.
      if keepsTerminator, undecided > maximumLength {
        guard skips else { throw tooLong(buffer) }
        if let end = run?.giveUp(in: buffer) {
          beginSkipping()
          return Line(kept: end, dropped: 0)
        }
      }
      return try wait(&buffer, undecided: undecided)
    }
    if keepsTerminator, place.count > maximumLength {
      guard skips else { throw tooLong(buffer) }
      beginSkipping()
    }
    return try line(content: place.lowerBound, terminator: place.count, in: buffer)
  }

  /// The length of the line is checked before anything is returned, so that an error never depends on how the
  /// bytes were cut into reads.
  private mutating func line(
    content: Int, terminator: Int, in buffer: borrowing ReceiveBuffer
  ) throws(FramingError) -> Line {
    if content > maximumLength {
      guard skips else { throw tooLong(buffer) }
      beginSkipping()
    }
    return keepsTerminator
      ? Line(kept: content + terminator, dropped: 0) : Line(kept: content, dropped: terminator)
  }

  private mutating func tooLong(_ buffer: borrowing ReceiveBuffer) -> FramingError {
    fail(.tooLong(limit: maximumLength, seen: maximumLength + 1, offset: buffer.offset))
  }

  /// Asks for more bytes, unless there are too many already beside those that may begin a terminator.
  private mutating func wait(
    _ buffer: inout ReceiveBuffer, undecided: Int
  ) throws(FramingError) -> Line? {
    let content = buffer.count - undecided
    _ = try line(content: content, terminator: 0, in: buffer)
    if isSkipping { buffer.discard(content) }
    return nil
  }

  /// Counts a line at once, since its end need never come.
  private mutating func beginSkipping() {
    if !isSkipping { skippedLines += 1 }
    isSkipping = true
  }

  /// Drops a bad line that has ended.
  mutating func skip(_ line: Line, of buffer: inout ReceiveBuffer) {
    buffer.discard(line.kept + line.dropped)
    beginSkipping()
    isSkipping = false
  }
}

// MARK: - CR, LF and their pairs

extension LineScanner {
  private mutating func nextPair(_ buffer: inout ReceiveBuffer) throws(FramingError) -> Line? {
    guard let end = buffer.firstIndex(of: .cr, or: .lf, from: buffer.searched) else {
      buffer.searched = buffer.count
      return try wait(&buffer, undecided: 0)
    }
    let single = try line(content: end, terminator: 1, in: buffer)
    let mate: UInt8 = buffer[end] == .cr ? .lf : .cr
    guard end + 1 < buffer.count else {
      if keepsTerminator {
        buffer.searched = end
        return try wait(&buffer, undecided: 1)
      }
      self.mate = mate
      return single
    }
    let isPair = buffer[end + 1] == mate
    decide(mate: mate, isPair: isPair)
    return isPair ? try line(content: end, terminator: 2, in: buffer) : single
  }

  private mutating func settleMate(_ buffer: inout ReceiveBuffer) {
    guard let mate, !buffer.isEmpty else { return }
    let isPair = buffer[0] == mate
    if isPair { buffer.discard(1) }
    decide(mate: mate, isPair: isPair)
    self.mate = nil
  }

  /// Ends autodetection: from now on the terminator is the byte that goes with `mate`, alone or with it.
  private mutating func decide(mate: UInt8, isPair: Bool) {
    guard case .autodetect = mode else { return }
    let first: UInt8 = mate == .lf ? .cr : .lf
    mode = .literal
    literal = LiteralSearch(isPair ? [first, mate] : [first])
  }

  /// Whether the last byte is a terminator whose line waits to see if its mate comes.
  private func isHeld(_ buffer: borrowing ReceiveBuffer) -> Bool {
    switch mode {
    case .newline, .literal, .oneOf, .run: return false
    case .anyNewline, .autodetect:
      let last = buffer[buffer.count - 1]
      return last == .cr || last == .lf
    }
  }
}
