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
    var waits = 0
    var longestLimit = Duration.zero
  }

  /// What has been done with connections so far, to see whether anything still is.
  struct Activity: Equatable {
    var connections = 0
    var bytes: UInt64 = 0
    /// Sends and expectations that have begun.
    var waits = 0
    /// That any of them was given.
    var longestLimit = Duration.zero

    mutating func add(_ other: Activity) {
      connections += other.connections
      bytes += other.bytes
      waits += other.waits
      longestLimit = max(longestLimit, other.longestLimit)
    }
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

  var activity: Activity {
    let counters = connection.counters
    return state.withLock {
      Activity(
        connections: 1, bytes: counters.bytesRead + counters.bytesWritten, waits: $0.waits,
        longestLimit: $0.longestLimit)
    }
  }

  /// Somebody begins to wait for the other end, for so long.
  func beginWait(_ limit: Duration?) {
    state.withLock { state in
      state.waits += 1
      state.longestLimit = max(state.longestLimit, limit ?? .zero)
    }
  }

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
    beginWait(limit)
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

  /// The same, with a report when the other end takes no more.
  func send(within limit: Duration?, at place: SourcePlace, _ encode: () throws -> [UInt8]) async throws {
    let limit = limit ?? patience
    do {
      try await send(within: limit, encode)
    } catch SocketError.timedOut {
      let counters = connection.counters
      throw ExpectationFailure(
        "the other end has not taken what was sent within \(limit); "
          + "\((counters.bytesAccepted - counters.bytesWritten).of("byte")) could not go out",
        of: name, at: place, transcript: transcript)
    }
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
