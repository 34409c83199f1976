import Framing

/// What an attempt to take a frame from the connection's buffer comes to.
@usableFromInline
enum FrameStep<Frame> {
  case frame(Frame)
  case end
  /// This connection has had its share of the turn.
  case yield
  case needsBytes
}

extension ConnectionCore {
  /// Waits until `take` has a frame or the end. Inlined into its caller, since most frames are there already.
  @inlinable @inline(__always)
  func nextFrame<Frame>(
    deadline: Deadline, operation: StaticString, _ take: (_ isFinishing: Bool) throws -> FrameStep<Frame>
  ) async throws -> Frame? {
    let deadline = try beginReading(deadline: deadline, operation: operation)
    defer { endReading() }
    var isFinishing = false
    while true {
      switch try take(isFinishing) {
      case .frame(let frame): return frame
      case .end: return nil
      case .yield: try await yieldTurn(deadline: deadline, operation: operation)
      case .needsBytes:
        let filled = try await fill(deadline: deadline, operation: operation, finishingFrame: isFinishing)
        if filled { continue }
        // Either the stream has ended, or the server drains, and a frame that has begun may still become whole.
        if !reading.contents.hasEnded { isFinishing = true }
      }
    }
  }

  @inlinable @inline(never)
  func takeFrame<Decoder: FrameDecoder>(
    isFinishing: Bool, _ decoder: inout Decoder
  ) throws -> FrameStep<Decoder.Frame> {
    if reading.contents.isDrained { return .end }
    if reading.contents.budget.isSpent, mustYield() { return .yield }
    if let frame = try decoder.decode(&reading.contents.buffer) {
      reading.contents.budget.takeFrame()
      reading.contents.message = .none
      reading.contents.isDrained = isFinishing
      return .frame(frame)
    }
    if reading.contents.hasEnded {
      return try decoder.finish(&reading.contents.buffer).map { .frame($0) } ?? .end
    }
    if !decoder.isMidFrame(reading.contents.buffer) {
      if isFinishing { return .end }
      reading.contents.message = .none
    } else if reading.contents.message == .none {
      reading.contents.message = .begun
    }
    return .needsBytes
  }
}
