extension TCPClient {
  /// What a client tells of itself.
  ///
  /// Each `connecting` is followed by one `attemptFailed` or one `connected`, and each `connected` by one `closed`.
  public enum Event: Sendable {
    /// An attempt begins.
    case connecting(Attempt)
    /// The attempt has come to nothing, and why.
    case attemptFailed(Attempt, AttemptFailure)
    /// The connection stands, and the closure is about to be entered.
    case connected(Attempt, peer: SocketAddress?)
    /// The connection has proved healthy.
    case healthy(Attempt)
    /// The closure threw an error of its own: neither its connection's end nor the server's bad bytes nor cancellation,
    /// which `closed` tells.
    case bodyFailed(Attempt, any Error)
    /// The connection has ended.
    case closed(Attempt, reason: CloseReason, counters: Connection.Counters)
    /// It waits before the next attempt.
    case backingOff(Duration, after: (any Error)?)
    /// It was told to connect to others, which it does at once.
    case retargeted([Target])
    /// `run` is over: the last event.
    case ended(Ending)
  }

  /// Why an attempt came to nothing.
  public enum AttemptFailure: Sendable {
    /// The server could not be found or connected to.
    case unreachable(any Error)
    /// `Configuration.preparing` threw this.
    case refused(any Error)
    /// The task of `run` was cancelled.
    case cancelled
    /// The client was told to connect to others.
    case retargeted
  }

  /// Tells the event hook, if there is one.
  func tell(_ event: @autoclosure () -> Event) { configuration.onEvent?(event()) }
}

extension TCPClient.Event: CustomStringConvertible {
  /// One line, for a log.
  public var description: String {
    switch self {
    case .connecting(let attempt): "connecting (\(attempt))"
    case .attemptFailed(let attempt, let failure): "\(attempt): \(failure)"
    case .connected(let attempt, nil): "connected (\(attempt))"
    case .connected(let attempt, let peer?): "connected to \(peer) (\(attempt))"
    case .healthy(let attempt): "healthy (\(attempt))"
    case .bodyFailed(let attempt, let error): "body failed (\(attempt)): \(error)"
    case .closed(let attempt, let reason, let counters):
      "ended (\(attempt)): \(reason); \(counters.bytesRead) bytes in, \(counters.bytesWritten) out"
    case .backingOff(let pause, nil): "backing off for \(pause.briefly)"
    case .backingOff(let pause, let error?): "backing off for \(pause.briefly): \(error)"
    case .retargeted(let targets): "retargeted to \(targets.map(\.description).joined(separator: ", "))"
    case .ended(let ending): "ended: \(ending)"
    }
  }
}

extension TCPClient.AttemptFailure: CustomStringConvertible {
  /// A few words.
  public var description: String {
    switch self {
    case .unreachable(let error): "\(error)"
    case .refused(let error): "not prepared: \(error)"
    case .cancelled: "cancelled"
    case .retargeted: "retargeted"
    }
  }
}
