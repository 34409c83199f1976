/// One of those to whom a broadcast goes.
package protocol BroadcastTarget: Sendable {
  associatedtype Receiver: Sendable

  /// As the sender knows it.
  var receiver: Receiver { get }

  /// Sends without a wait; `false` if it would have to.
  func offer(_ bytes: [UInt8]) throws(SocketError) -> Bool

  func send(_ bytes: [UInt8]) async throws

  /// Keeps a message for later; `false` when an older one is dropped for it.
  func keep(_ bytes: [UInt8]) -> Bool

  func disconnectSlowConsumer()
}

extension SlowConsumerPolicy {
  private enum Late { case delivered, dropped, ended }

  /// Sends the same bytes to all, first to those who need not be waited for.
  package func deliver<Target: BroadcastTarget>(
    _ bytes: [UInt8], to targets: some Sequence<Target>
  ) async -> Delivery<Target.Receiver> {
    var (delivery, slow) = offer(bytes, to: targets)
    if !slow.isEmpty { await Self.wait(for: slow, bytes, &delivery) }
    return delivery
  }

  /// The same without a wait; who would have to be waited for is `slow`, and has not got it.
  func offer<Target: BroadcastTarget>(
    _ bytes: [UInt8], to targets: some Sequence<Target>
  ) -> (delivery: Delivery<Target.Receiver>, slow: [Target]) {
    var delivery = Delivery<Target.Receiver>()
    var slow: [Target] = []
    for target in targets {
      do throws(SocketError) {
        if try target.offer(bytes) {
          delivery.delivered.append(target.receiver)
          continue
        }
      } catch {
        delivery.ended.append(target.receiver)
        continue
      }
      switch action {
      case .wait: slow.append(target)
      case .dropNewest: delivery.dropped.append(target.receiver)
      case .dropOldest:
        if target.keep(bytes) {
          delivery.delivered.append(target.receiver)
        } else {
          delivery.dropped.append(target.receiver)
        }
      case .disconnect:
        target.disconnectSlowConsumer()
        delivery.disconnected.append(target.receiver)
      }
    }
    return (delivery, slow)
  }

  private static func wait<Target: BroadcastTarget>(
    for targets: [Target], _ bytes: [UInt8], _ delivery: inout Delivery<Target.Receiver>
  ) async {
    await withTaskGroup(of: (Target, Late).self) { group in
      for target in targets {
        group.addTask {
          do {
            try await target.send(bytes)
            return (target, .delivered)
          } catch {
            return (target, error is CancellationError ? .dropped : .ended)
          }
        }
      }
      for await (target, outcome) in group {
        switch outcome {
        case .delivered: delivery.delivered.append(target.receiver)
        case .dropped: delivery.dropped.append(target.receiver)
        case .ended: delivery.ended.append(target.receiver)
        }
      }
    }
  }
}

extension Connection.Handle: BroadcastTarget {
  /// Who is at the other end.
  package var receiver: SocketAddress? { core.peerAddress }

  package func offer(_ bytes: [UInt8]) throws(SocketError) -> Bool { try core.offer(bytes) }

  package func send(_ bytes: [UInt8]) async throws {
    try await core.send { holdsTurn in try core.trySend(bytes, holdsTurn: holdsTurn) }
  }

  /// Nobody keeps messages for it.
  package func keep(_ bytes: [UInt8]) -> Bool { false }

  package func disconnectSlowConsumer() { core.disconnectSlowConsumer() }
}
