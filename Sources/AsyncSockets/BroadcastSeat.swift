/// What a member of a broadcast leaves.
protocol BroadcastRoom: AnyObject, Sendable {
  func leave(_ seat: BroadcastSeat)
}

/// A member's place in a broadcast.
///
/// It does not know the codec: generic code that is not specialised looks its types up for every message and member.
final class BroadcastSeat: Sendable {
  let member: any CodecHandle
  let room: any BroadcastRoom
  /// Where it stands in the broadcast's list.
  let index: Int
  /// What runs the connection, if that is no task.
  private let driver: ConnectionDriver?
  private let kept: KeptMessages?
  let core: ConnectionCore

  init(
    _ member: any CodecHandle, _ driver: ConnectionDriver?, in room: any BroadcastRoom, at index: Int,
    _ policy: SlowConsumerPolicy
  ) {
    self.member = member
    self.driver = driver
    self.room = room
    self.index = index
    core = member.core
    kept = if case .dropOldest(let count) = policy.action { KeptMessages(limit: count) } else { nil }
  }

  /// What a message begins with: pending for its receivers.
  static func outcomes(
    _ seats: [BroadcastSeat?], where isReceiver: (BroadcastSeat) -> Bool
  ) -> [DeliveryOutcome] {
    seats.map { seat in seat.map(isReceiver) ?? false ? .pending : .leftOut }
  }

  /// Sends what is kept as fast as the peer takes it, until the task is cancelled or the connection ends.
  func sendKept() async {
    await kept?.sendAll(on: core.loop) { message in try await send(message) }
  }

  /// The output of a connection without a task has fallen to its low mark: what is kept for it can be sent, up to the
  /// high one.
  func outputHasRoom() {
    guard let driver else { return }
    do throws(SocketError) {
      while !driver.isThrottled, let message = kept?.next() {
        try driver.accept(core.trySend(message, holdsTurn: true))
      }
    } catch {
      kept?.abandon()
    }
  }

  func leave() { room.leave(self) }
}

extension BroadcastSeat: BroadcastTarget {
  func offer(_ bytes: [UInt8]) throws(SocketError) -> Bool {
    if let kept, try kept.isBusy() { return false }
    if case .mustWait = try core.trySend(bytes, of: member, holdsTurn: false) { return false }
    return true
  }

  func send(_ bytes: [UInt8]) async throws {
    try await core.send { holdsTurn in try core.trySend(bytes, of: member, holdsTurn: holdsTurn) }
  }

  func keep(_ bytes: [UInt8]) -> Bool {
    guard let (isLossless, isFirst) = kept?.add(bytes) else { return false }
    if isFirst, let driver { core.core.performLater(.call { driver.awaitRoom() }) }
    return isLossless
  }

  func disconnectSlowConsumer() { core.disconnectSlowConsumer() }
}
