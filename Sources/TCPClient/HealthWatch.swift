/// Waits for the proof that a connection is healthy, as far as it is not told by somebody else: the first frame is told by
/// who reads it.
struct HealthWatch: Sendable {
  private let connection: Connection
  private let proof: TCPClient.HealthProof
  private let bytesBefore: UInt64
  private let heardOf = Latch()
  private let watchesInput: Bool

  init(of connection: Connection, _ proof: TCPClient.HealthProof, isFramed: Bool) {
    self.connection = connection
    self.proof = proof
    bytesBefore = connection.counters.bytesRead
    watchesInput = proof == .input && !isFramed
    if watchesInput { connection.onInput { [heardOf] in heardOf.open() } }
  }

  /// `false` if it does not come before the task is cancelled.
  func comes(on loop: EventLoop) async -> Bool {
    switch proof {
    case .connected: return true
    case .age(let age): return (try? await loop.sleep(for: age)) != nil
    case .input where watchesInput: return await heardOf.wait(on: loop) == .opened
    case .input, .marked: return false
    }
  }

  /// Looks once more, when nobody reads any longer.
  var hasCome: Bool { watchesInput && connection.counters.bytesRead > bytesBefore }
}
