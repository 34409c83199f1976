/// How one direction of a relay came to its end.
struct ForwardedStream: Sendable {
  enum Ending {
    /// The end of the stream was passed on.
    case ended
    case sourceFailed(SocketError)
    case destinationFailed(SocketError)
  }

  /// Accepted by the destination.
  var bytes: UInt64 = 0
  var ending = Ending.ended
}

/// Puts together how the two sides of a relay ended, and says when they are to be reset. Pure.
struct RelayEndings {
  private var bytes: [UInt64] = [0, 0]
  private var endings: [RelayReport.Ending?] = [nil, nil]
  private var directionsLeft = 2
  private var hasFailed = false

  /// A direction is over: the one from this side, 0 or 1, to the other.
  ///
  /// - Returns: whether both sides are to be reset now. A side that takes nothing more may still have something to
  ///   say: what is read from it tells how it really ended, and until then the other direction goes on.
  mutating func note(_ stream: ForwardedStream, from source: Int) -> Bool {
    bytes[source] = stream.bytes
    directionsLeft -= 1
    switch stream.ending {
    case .ended:
      if endings[source] == nil { endings[source] = .ended }
    case .sourceFailed(let error):
      noteFailure(error, of: source)
      return true
    case .destinationFailed(let error):
      noteFailure(error, of: 1 - source)
    }
    return hasFailed && directionsLeft == 0
  }

  private mutating func noteFailure(_ error: SocketError, of side: Int) {
    // The first failure closes the other side; that is none of its own.
    if hasFailed, error == .closed { return }
    if case .failed = endings[side] { return }
    endings[side] = .failed(error)
    hasFailed = true
  }

  /// Once both directions are over.
  var report: RelayReport {
    RelayReport(
      first: RelayReport.Side(bytes: bytes[0], ending: endings[0] ?? .reset),
      second: RelayReport.Side(bytes: bytes[1], ending: endings[1] ?? .reset))
  }
}
