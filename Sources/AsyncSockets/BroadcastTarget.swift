/// One of those to whom a broadcast goes.
protocol BroadcastTarget: Sendable {
  /// Sends without a wait; `false` if it would have to.
  func offer(_ bytes: [UInt8]) throws(SocketError) -> Bool

  func send(_ bytes: [UInt8]) async throws

  /// Keeps a message for later; `false` when an older one is dropped for it.
  func keep(_ bytes: [UInt8]) -> Bool

  func disconnectSlowConsumer()
}

extension SlowConsumerPolicy {
  /// Sends the same bytes to all connections.
  package func deliver(
    _ bytes: [UInt8], to connections: [Connection.Handle]
  ) async -> Delivery<SocketAddress?> {
    var outcomes = connections.map { _ in DeliveryOutcome.pending }
    await deliver(bytes, to: connections, &outcomes)
    return Delivery(receivers: connections.map { .some($0.core.peerAddress) }, outcomes: outcomes)
  }

  /// Sends the same bytes to all whose outcome is pending, first to those who need not be waited for.
  func deliver<Target: BroadcastTarget>(
    _ bytes: [UInt8], to targets: [Target?], _ outcomes: inout [DeliveryOutcome]
  ) async {
    offer(bytes, to: targets, &outcomes)
    if action == .wait { await Self.wait(for: targets, bytes, &outcomes) }
  }

  /// The same without a wait; for who would have to be waited for, it stays pending.
  func offer<Target: BroadcastTarget>(
    _ bytes: [UInt8], to targets: [Target?], _ outcomes: inout [DeliveryOutcome]
  ) {
    for index in targets.indices where outcomes[index] == .pending {
      guard let target = targets[index] else { continue }
      outcomes[index] = offer(bytes, to: target)
    }
  }

  @inline(__always)
  private func offer(_ bytes: [UInt8], to target: some BroadcastTarget) -> DeliveryOutcome {
    do throws(SocketError) {
      if try target.offer(bytes) { return .delivered }
    } catch {
      return .ended
    }
    switch action {
    case .wait: return .pending
    case .dropNewest: return .dropped
    case .dropOldest: return target.keep(bytes) ? .delivered : .dropped
    case .disconnect:
      target.disconnectSlowConsumer()
      return .disconnected
    }
  }

  private static func wait<Target: BroadcastTarget>(
    for targets: [Target?], _ bytes: [UInt8], _ outcomes: inout [DeliveryOutcome]
  ) async {
    guard outcomes.contains(.pending) else { return }
    await withTaskGroup(of: (Int, DeliveryOutcome).self) { group in
      for index in targets.indices where outcomes[index] == .pending {
        guard let target = targets[index] else { continue }
        group.addTask {
          do {
            try await target.send(bytes)
            return (index, .delivered)
          } catch {
            return (index, error is CancellationError ? .dropped : .ended)
          }
        }
      }
      for await (index, outcome) in group { outcomes[index] = outcome }
    }
  }
}

extension Connection.Handle: BroadcastTarget {
  func offer(_ bytes: [UInt8]) throws(SocketError) -> Bool { try core.offer(bytes) }

  func send(_ bytes: [UInt8]) async throws {
    try await core.send { holdsTurn in try core.trySend(bytes, holdsTurn: holdsTurn) }
  }

  /// Nobody keeps messages for it.
  func keep(_ bytes: [UInt8]) -> Bool { false }

  func disconnectSlowConsumer() { core.disconnectSlowConsumer() }
}
