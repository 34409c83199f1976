extension TCPClient {
  /// What a session sends now and then to see whether its server is still there.
  ///
  /// ```swift
  /// let session = client.session(
  ///   framing: .lines, heartbeat: .request("PING", every: .seconds(10), silence: .seconds(30)))
  /// ```
  ///
  /// A server of which no byte has come for as long as `silence` is dead: the connection ends, with
  /// `CloseReason.timedOut`, and the client connects again. What has arrived and was not read yet counts as heard of, so a
  /// client that does not read never finds its server silent. It is noticed at most one interval late.
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

/// When to send the next heartbeat, and when a server is dead. Pure.
struct SilenceWatch {
  enum Action: Equatable {
    case beat
    case dead(after: Duration)
    case wait(until: EventLoop.Instant)
  }

  let interval: Duration
  let silence: Duration
  private var bytesRead: UInt64
  private var heardAt: EventLoop.Instant
  private var nextBeat: EventLoop.Instant

  init(interval: Duration, silence: Duration, now: EventLoop.Instant, bytesRead: UInt64) {
    self.interval = interval
    self.silence = silence
    self.bytesRead = bytesRead
    heardAt = now
    nextBeat = now.advanced(by: interval)
  }

  /// - Parameter hasUnread: whether there may be more than the bytes that were read.
  mutating func look(at now: EventLoop.Instant, bytesRead: UInt64, hasUnread: Bool) -> Action {
    if bytesRead != self.bytesRead || hasUnread {
      self.bytesRead = bytesRead
      heardAt = now
    }
    let limit = heardAt.advanced(by: silence)
    if now >= limit { return .dead(after: heardAt.duration(to: now)) }
    guard now >= nextBeat else { return .wait(until: min(limit, nextBeat)) }
    nextBeat = nextBeat.advanced(by: interval)
    // Not one for each that was missed while the process was stopped.
    if nextBeat <= now { nextBeat = now.advanced(by: interval) }
    return .beat
  }
}
