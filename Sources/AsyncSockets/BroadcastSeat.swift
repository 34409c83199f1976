import Framing

/// A member's place in a broadcast.
final class BroadcastSeat<F: Framing>: Sendable {
  let connection: FramedConnection<F>
  let room: Broadcast<F>
  /// Where it stands in the broadcast's list.
  let index: Int
  /// What runs the connection, if that is no task.
  private let driver: CodecDriver<F>?
  private let kept: KeptMessages?

  init(
    _ connection: FramedConnection<F>, _ driver: CodecDriver<F>?, in room: Broadcast<F>, at index: Int,
    _ policy: SlowConsumerPolicy
  ) {
    self.connection = connection
    self.driver = driver
    self.room = room
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

  func keep(_ bytes: [UInt8]) -> Bool {
    guard let (isLossless, isFirst) = kept?.add(bytes) else { return false }
    if isFirst, let driver { driver.core.core.performLater(.call { driver.awaitRoom() }) }
    return isLossless
  }

  func disconnectSlowConsumer() { connection.core.disconnectSlowConsumer() }
}

extension BroadcastSeat: BroadcastMembership {
  func outputHasRoom() {
    guard let driver else { return }
    do throws(SocketError) {
      while !driver.isThrottled, let message = kept?.next() {
        try driver.accept(connection.core.trySend(message, holdsTurn: true))
      }
    } catch {
      kept?.abandon()
    }
  }

  func leave() { room.leave(self) }
}
