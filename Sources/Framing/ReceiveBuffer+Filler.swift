extension ReceiveBuffer {
  /// Drops bytes from the front that belong to no frame: filler between frames, or what is skipped.
  ///
  /// It is `consume` for whoever later reports an error in the frame that follows, whose place would otherwise
  /// depend on when the filler came.
  ///
  /// - Parameter n: How many; at most all of them. With 0, all that has been consumed was filler.
  public mutating func discard(_ n: Int) {
    consume(n)
    fillerEnd = offset
  }

  /// Where the frame began that was taken since the front was at `start`.
  func frameStart(since start: UInt64) -> UInt64 {
    Swift.max(start, fillerEnd)
  }
}
