extension TCPClient {
  /// What a session sends now and then to see whether its server is still there.
  ///
  /// ```swift
  /// let session = client.session(
  ///   framing: .lines, heartbeat: .request("PING", every: .seconds(10), silence: .seconds(30)))
  /// ```
  ///
  /// A server of which no byte has come for as long as `silence` is dead: the connection ends, with
  /// `CloseReason.timedOut`, and the client connects again. What arrives counts, whether it is read or not; while 16 KiB or
  /// more lie unread the server is not found silent, since it may be waiting for room. It is noticed at most one interval
  /// late.
  public struct Heartbeat<Frame: Sendable>: Sendable {
    let frame: Frame
    let isRequest: Bool
    let interval: Duration
    let silence: Duration

    /// A frame that needs no reply.
    ///
    /// - Parameters:
    ///   - frame: what to send.
    ///   - interval: how often, whatever else is sent.
    ///   - silence: how long the server may say nothing, longer than `interval`.
    public static func send(_ frame: Frame, every interval: Duration, silence: Duration) -> Self {
      Self(frame: frame, isRequest: false, interval: interval, silence: silence)
    }

    /// A request, whose reply is taken and forgotten: where each frame of the server answers one.
    ///
    /// - Parameters:
    ///   - frame: what to send.
    ///   - interval: how often, whatever else is sent.
    ///   - silence: how long the server may say nothing, longer than `interval`.
    public static func request(_ frame: Frame, every interval: Duration, silence: Duration) -> Self {
      Self(frame: frame, isRequest: true, interval: interval, silence: silence)
    }

    func validate() throws(SocketError) {
      if interval <= .zero {
        throw .invalid("heartbeat: the interval must be positive, not \(interval.exactly)")
      }
      if silence <= interval {
        throw .invalid(
          "heartbeat: the silence, \(silence.exactly), must be longer than the interval, \(interval.exactly)")
      }
    }
  }
}
