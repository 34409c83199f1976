import Synchronization

/// Messages that are to be sent and answered. All clients are on one loop, so nothing here is contended.
final class Round: Sendable {
  private let clients: Int
  private let left: Atomic<Int>
  private let answered = Atomic(0)
  private let resting = Atomic(0)
  private let waiter = Mutex<CheckedContinuation<Void, Never>?>(nil)

  /// - Parameter messages: how many in all; without end by default.
  init(clients: Int, messages: Int = .max) {
    self.clients = clients
    left = Atomic(messages)
  }

  /// How many have been answered so far.
  var replies: Int { answered.load(ordering: .relaxed) }

  /// Whether a client may send another message; if not, it rests.
  func takeMessage() -> Bool {
    let now = left.load(ordering: .relaxed)
    if now > 0 {
      left.store(now - 1, ordering: .relaxed)
      return true
    }
    rest()
    return false
  }

  func countReply() { answered.store(replies + 1, ordering: .relaxed) }

  func stop() { left.store(0, ordering: .relaxed) }

  private func rest() {
    if resting.add(1, ordering: .relaxed).newValue == clients { waiter.withLock { $0.take() }?.resume() }
  }

  /// Returns when all clients rest.
  func end() async {
    await withCheckedContinuation { continuation in
      if resting.load(ordering: .relaxed) == clients { return continuation.resume() }
      waiter.withLock { $0 = continuation }
    }
  }
}
