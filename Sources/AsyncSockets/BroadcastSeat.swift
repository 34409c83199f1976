import Framing

/// A member's place in a broadcast.
final class BroadcastSeat<F: Framing>: Sendable {
  let connection: FramedConnection<F>
  /// Where it stands in the broadcast's list.
  let index: Int
  private let kept: KeptMessages?

  init(_ connection: FramedConnection<F>, index: Int, _ policy: SlowConsumerPolicy) {
    self.connection = connection
    self.index = index
    kept = if case .dropOldest(let count) = policy.action { KeptMessages(limit: count) } else { nil }
  }

  /// Sends what is kept as fast as the peer takes it, until the task is cancelled or the connection ends.
  func sendKept() async {
    await kept?.sendAll(on: connection.loop) { [connection] message in
      try await connection.send(encoded: message)
    }
  }
}

extension BroadcastSeat: BroadcastTarget {
  var receiver: FramedConnection<F> { connection }

  func offer(_ bytes: [UInt8]) throws(SocketError) -> Bool {
    if let kept, try kept.isBusy() { return false }
    return try connection.offer(encoded: bytes)
  }

  func send(_ bytes: [UInt8]) async throws { try await connection.send(encoded: bytes) }

  func keep(_ bytes: [UInt8]) -> Bool { kept?.add(bytes) ?? false }

  func disconnectSlowConsumer() { connection.core.disconnectSlowConsumer() }
}
