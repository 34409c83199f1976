extension TCPClient.Session {
  /// Sends one frame: whole, or not at all.
  ///
  /// Once accepted it may still be lost with its connection, of which nobody is told; a protocol that cares has replies
  /// (`request`).
  ///
  /// - Parameters:
  ///   - frame: what to send.
  ///   - deadline: when to give up waiting for a connection.
  /// - Throws: `SessionError.disconnected`, `.queueFull` or `.ended`; `FramingError` when the frame cannot be encoded;
  ///   `SocketError.timedOut`; `CancellationError`. Nothing was sent then.
  public func send(_ frame: F.Encoder.Frame, deadline: Deadline = .never) async throws {
    let due = try instant(of: deadline)
    var size: Int?
    while true {
      let (step, changed) = askAndWatch { $0.send(frame, size: size) }
      if case .queued = step { return }
      if case .measure = step {
        size = try encodedSize(of: frame)
        continue
      }
      guard let (requests, number) = try await connection(step, changed, until: due, operation: "send")
      else { continue }
      do {
        return try await requests.send(frame)
      } catch {
        try await goOn(after: error, on: requests, number)
      }
    }
  }

  /// Sends a request and waits for its reply, over as many connections as it takes to send it, and over one alone from then
  /// on.
  ///
  /// - Parameters:
  ///   - frame: the request.
  ///   - deadline: when to give up, as if cancelled.
  /// - Throws: `SessionError.disconnected` or `.ended`, and nothing was sent; `SessionError.outcomeUnknown` when the
  ///   connection has ended before the reply; `CorrelatorError` for a request too many or with an id in use;
  ///   `FramingError` when the frame cannot be encoded; `SocketError.timedOut`; `CancellationError`.
  public func request(
    _ frame: F.Encoder.Frame, deadline: Deadline = .never
  ) async throws -> F.Decoder.Frame {
    let due = try instant(of: deadline)
    while true {
      let (step, changed) = askAndWatch { $0.request() }
      guard let (requests, number) = try await connection(step, changed, until: due, operation: "request")
      else { continue }
      var wasSent = false
      do {
        return try await requests.request(frame, deadline: due.map { .at($0) } ?? .never, wasSent: &wasSent)
      } catch {
        if wasSent {
          // A time-out may be the connection's own, whose server has fallen silent. Nothing is sent twice.
          if Self.isOwn(error), !requests.connection.connection.hasEnded(by: error) { throw error }
          throw TCPClient.SessionError.outcomeUnknown(after: error)
        }
        try await goOn(after: error, on: requests, number)
      }
    }
  }

  /// What the gate's answer means: a connection, or `nil` when there is none to send on now, and somebody has waited if
  /// that was to be.
  private func connection(
    _ step: Gate.Step, _ changed: Latch, until due: EventLoop.Instant?, operation: String
  ) async throws -> (RequestConnection<F, ID>, Int)? {
    switch step {
    case .send(let requests, let number): return (requests, number)
    case .queued, .measure: return nil
    case .fail(.disconnected): throw TCPClient.SessionError.disconnected(client.currentState)
    case .fail(.queueFull(let bytes)): throw TCPClient.SessionError.queueFull(bytes: bytes)
    case .fail(.ended(let ending)): throw TCPClient.SessionError.ended(ending)
    case .wait:
      switch await changed.wait(until: due, on: try waitingLoop) {
      case .opened: return nil
      case .cancelled: throw CancellationError()
      case .timedOut: throw SocketError.timedOut(operation: "\(operation): waiting for a connection")
      }
    }
  }

  /// A send was not accepted: if that is because its connection has ended, it may go over the next.
  private func goOn(after error: any Error, on requests: RequestConnection<F, ID>, _ number: Int) async throws
  {
    guard requests.connection.connection.hasEnded(by: error) || Self.isEndOfStream(error) else { throw error }
    change { $0.disconnected(number) }
  }

  /// Whether the server has ended its stream, between two frames or within one.
  private static func isEndOfStream(_ error: any Error) -> Bool {
    switch error {
    case CorrelatorError.ended, FramingError.truncated: true
    default: false
    }
  }

  /// What is wrong with the request or its task alone.
  private static func isOwn(_ error: any Error) -> Bool {
    if case SocketError.timedOut = error { return true }
    return error is CancellationError
  }

  private func encodedSize(of frame: F.Encoder.Frame) throws -> Int {
    var bytes: [UInt8] = []
    var encoder = framing.makeEncoder()
    try encoder.encode(frame, into: &bytes)
    return bytes.count
  }

  private func instant(of deadline: Deadline) throws -> EventLoop.Instant? {
    if case .never = deadline { return nil }
    let loop = try waitingLoop
    return deadline.instant(now: loop.now)
  }

  /// Where to wait while there is no connection.
  private var waitingLoop: EventLoop {
    get throws { try client.environment.loops.loops[0] }
  }
}
