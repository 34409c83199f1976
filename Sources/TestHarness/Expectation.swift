import AsyncSockets
import Framing

/// What a test expects of a peer at one place, and by when.
struct Expectation {
  let core: PeerCore
  let what: String
  let place: SourcePlace
  let limit: Duration
  let deadline: Deadline

  init(_ core: PeerCore, _ what: String, within limit: Duration?, at place: SourcePlace) {
    self.core = core
    self.what = what
    self.place = place
    self.limit = limit ?? core.patience
    deadline = .at(core.loop.now.advanced(by: self.limit))
    core.beginWait(self.limit)
  }

  /// Runs what looks whether it is met; what a connection or codec throws becomes a failure.
  func check<Value>(_ body: (Deadline) async throws -> Value) async throws -> Value {
    do {
      return try await body(deadline)
    } catch let error as SocketError {
      throw try failure(for: error)
    } catch let error as FramingError {
      throw failure("expected \(what), but \(core.pending ?? "nothing") came, which is no frame: \(error)")
    }
  }

  func failure(_ problem: String, _ difference: ByteDifference? = nil) -> ExpectationFailure {
    ExpectationFailure(
      problem, of: core.name, at: place, difference: difference, transcript: core.transcript)
  }

  /// - Throws: what is nobody's failure: the peer was told to leave.
  func failure(for error: SocketError) throws -> any Error {
    switch error {
    case .timedOut:
      let came = core.pending.map { "only \($0)" } ?? "nothing"
      return failure("expected \(what), but \(came) came within \(limit)")
    case .busy: return error
    case .closed where core.isLeaving: throw error
    case .reset: return failure("expected \(what), but the connection was reset")
    default: return failure("expected \(what), but the connection failed: \(error)")
    }
  }

  /// The stream has ended instead.
  func ended() -> any Error {
    guard core.state.withLock({ $0.hasEnded }) else { return CancellationError() }
    let came = core.pending.map { "\($0) and then the end came" } ?? "the stream ended"
    return failure("expected \(what), but \(came)")
  }
}

extension PeerCore {
  /// What has come and not been taken, in words; `nil` for nothing.
  var pending: String? {
    let bytes = state.withLock { $0.buffer.pending }
    return bytes.isEmpty ? nil : EscapedText.brief(bytes)
  }
}

extension EscapedText {
  /// At most 60 bytes of it.
  static func brief(_ bytes: some Collection<UInt8>) -> String {
    bytes.count <= 60 ? escape(bytes) : escape(bytes.prefix(48)) + "… (\(bytes.count) bytes)"
  }
}

extension EventLoop {
  /// A deadline that stays where it is however often it is asked for.
  nonisolated func fixed(_ deadline: Deadline) -> Deadline {
    if case .after(let duration) = deadline { .at(now.advanced(by: duration)) } else { deadline }
  }
}
