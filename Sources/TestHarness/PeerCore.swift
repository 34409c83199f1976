import AsyncSockets
import Framing

/// A peer's connection with everything but its codec: what has been received and not taken, the transcript, the turns of
/// those who send.
final class PeerCore: Sendable {
  struct State {
    var buffer = ReceiveBuffer()
    /// The other end's stream has ended.
    var hasEnded = false
    /// This end takes no more input, and closes when its script is left.
    var isLeaving = false
    var hasFailed = false
    var transcript = Transcript()
  }

  let connection: Connection
  /// Who is at the other end, in reports.
  let name: String
  let info: Lock<ClientInfo>
  let patience: Duration
  let state = Lock(State())
  /// Opens when the connection is to end.
  let leaving = Latch()
  private let began: EventLoop.Instant
  private let turns = TurnQueue()
  private let onFlush: @Sendable () -> Void

  init(
    _ connection: Connection, name: String, info: ClientInfo, patience: Duration,
    onFlush: @escaping @Sendable () -> Void = {}
  ) {
    self.connection = connection
    self.name = name
    self.info = Lock(info)
    self.patience = patience
    self.onFlush = onFlush
    began = connection.loop.now
  }

  var loop: EventLoop { connection.loop }
  var transcript: Transcript { state.withLock { $0.transcript } }
  var isLeaving: Bool { state.withLock { $0.isLeaving } }

  func note(_ event: Transcript.Event) {
    let time = began.duration(to: loop.now)
    state.withLock { $0.transcript.note(event, at: time) }
  }

  // MARK: Receiving

  /// Waits for bytes and adds them to the buffer; `false` at the end of the stream.
  func receive(deadline: Deadline) async throws -> Bool {
    if state.withLock({ $0.hasEnded || $0.isLeaving }) { return false }
    do {
      guard let bytes = try await connection.read(deadline: deadline) else {
        // A server that stops ends its input too, of which the other end knows nothing.
        if !connection.isDraining, !isLeaving {
          state.withLock { $0.hasEnded = true }
          note(.ended)
        }
        return false
      }
      let time = began.duration(to: loop.now)
      state.withLock { state in
        state.buffer.append(contentsOf: bytes)
        state.transcript.note(.received(bytes), at: time)
      }
      return true
    } catch {
      noteFailure(error)
      throw error
    }
  }

  private func noteFailure(_ error: any Error) {
    guard let error = error as? SocketError else { return }
    let event: Transcript.Event
    switch error {
    case .timedOut, .busy: return
    case .closed where isLeaving: return
    case .reset: event = .reset
    default: event = .failed(error.description)
    }
    let isFirst = state.withLock { state in
      defer { state.hasFailed = true }
      return !state.hasFailed
    }
    if isFirst { note(event) }
  }

  // MARK: Sending

  /// Sends what `encode` makes when its turn has come, and returns when the kernel has it.
  func send(within limit: Duration?, _ encode: () throws -> [UInt8]) async throws {
    let deadline: Deadline = limit.map { .after($0) } ?? .never
    try await turns.withTurn(on: loop) {
      let bytes = try encode()
      // Before the other end can have answered.
      note(.sent(bytes))
      do {
        try await withDeadline(deadline, on: loop, operation: "send") {
          try await connection.send(bytes)
          try await connection.flush()
        }
      } catch {
        noteFailure(error)
        throw error
      }
    }
    onFlush()
  }

  func finishWriting() async throws {
    try await turns.withTurn(on: loop) {
      try await connection.finishWriting()
      note(.finished)
    }
  }

  // MARK: Ending

  /// No more input is taken; whoever serves the peer is to come to an end.
  func leave() {
    state.withLock { $0.isLeaving = true }
    leaving.open()
  }

  /// Closes after what is pending, and returns when the connection is over.
  func close() async {
    leave()
    await connection.close()
  }

  func abort() {
    leave()
    connection.abort()
  }
}
