import AsyncSockets

/// The time of a simulation, which its network moves.
final class SimulatedClock: LoopClock {
  private let network: SharedNetwork

  init(network: SharedNetwork) { self.network = network }

  var now: EventLoop.Instant { network.withLock { $0.now } }

  func nanoseconds(until due: EventLoop.Instant) -> Int64? {
    max(0, due.nanoseconds.subtractingReportingOverflow(now.nanoseconds).partialValue)
  }

  /// Nothing: nobody moves this clock while the loop sleeps.
  func attach(_ wake: @escaping @Sendable () -> Void) {}
}
