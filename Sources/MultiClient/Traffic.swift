import AsyncSockets

/// What has come and gone on a connection, as far as it has been noted.
struct Traffic {
  private(set) var frames: UInt64 = 0
  /// When something was sent to which no frame has come yet; the far future also when that is not looked at.
  var sent = EventLoop.Instant.farFuture

  /// Counts frames, and answers how long the first was waited for, in nanoseconds, if it was.
  ///
  /// - Parameter taken: how many there have been in all, modulo 65,536.
  mutating func noteFrames(_ taken: UInt16, _ now: EventLoop.Instant) -> UInt64? {
    let new = taken &- UInt16(truncatingIfNeeded: frames)
    frames &+= UInt64(new)
    guard new > 0, sent != .farFuture else { return nil }
    defer { sent = .farFuture }
    return UInt64(max(0, now.nanoseconds - sent.nanoseconds))
  }
}
