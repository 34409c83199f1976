import AsyncSockets
import Synchronization

/// Where the loop of a simulation waits: time jumps to whatever happens next.
final class SimulatedPoller: Poller {
  /// Turns in a row in which time may stand still. A task that asks again and again whether something has happened
  /// yet would otherwise keep it from ever happening.
  private static let patience = 1000
  /// How long somebody outside of the simulation may take to let it go on.
  private static let foreignPatience: Int64 = 1_000_000_000

  private struct Idleness {
    var whenStuck: (@Sendable () -> Void)?
    var afterJobs: (@Sendable () -> Bool)?
  }

  private let network: SharedNetwork
  /// Where the thread waits for other threads.
  private let system: Epoll
  private let isInterrupted = Atomic<Bool>(false)
  private let busyTurns = Atomic<Int>(0)
  private let idleness = Lock(Idleness())

  init(network: SharedNetwork) throws(SocketError) {
    self.network = network
    system = try Epoll()
  }

  /// Calls back, on the loop's thread, when nothing will ever happen by itself, and nobody outside of the simulation has
  /// done anything about it for a second.
  func whenStuck(_ body: (@Sendable () -> Void)?) { idleness.withLock { $0.whenStuck = body } }

  /// Calls, on the loop's thread, whenever it has run the jobs of a turn; what is called says whether it has made new ones.
  func afterJobs(_ body: @escaping @Sendable () -> Bool) { idleness.withLock { $0.afterJobs = body } }

  func add(_ descriptor: Int32, for events: Epoll.Events, key: UInt64) -> Errno? {
    network.withLock { $0.register(descriptor, key: key) }
  }

  func interrupt() {
    isInterrupted.store(true, ordering: .releasing)
    system.interrupt()
  }

  func wait(nanoseconds: Int64, woken: () -> Void, ready: (UInt64, Epoll.Events) -> Void) {
    let wasInterrupted = isInterrupted.exchange(false, ordering: .acquiring)
    let hasNewJobs = idleness.withLock { $0.afterJobs }?() ?? false
    let limit = wasInterrupted || hasNewJobs ? 0 : nanoseconds
    let cost = costOfTurn(isBusy: nanoseconds == 0)
    let step = network.withLock { network -> SimulatedNetwork.Step in
      if let cost { network.pass(cost) }
      return network.step(atMost: limit)
    }
    switch step {
    case .events(let events):
      woken()
      for (key, events) in events { ready(key, events) }
    case .nothing:
      let end = MonotonicClock.shared.now.advanced(by: .nanoseconds(Self.foreignPatience))
      system.wait(nanoseconds: Self.foreignPatience) {
      } ready: { _, _ in
      }
      if !isInterrupted.load(ordering: .acquiring), MonotonicClock.shared.now >= end {
        idleness.withLock { $0.whenStuck }?()
      }
      woken()
    }
  }

  /// What a turn without sleep takes, once there have been many in a row.
  private func costOfTurn(isBusy: Bool) -> Duration? {
    guard isBusy else {
      busyTurns.store(0, ordering: .relaxed)
      return nil
    }
    let turns = busyTurns.wrappingAdd(1, ordering: .relaxed).newValue
    return turns > Self.patience ? .microseconds(10) : nil
  }
}
