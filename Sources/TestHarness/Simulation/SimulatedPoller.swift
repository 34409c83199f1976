import AsyncSockets
import Synchronization

/// Where the loop of a simulation waits: time jumps to whatever happens next.
final class SimulatedPoller: Poller {
  /// Turns in a row in which time may stand still. A task that asks again and again whether something has happened
  /// yet would otherwise keep it from ever happening.
  private static let patience = 1000
  /// How long somebody outside of the simulation may take to let it go on.
  private static let foreignPatience: Int64 = 1_000_000_000

  private struct Watch {
    var watch: SimulationWatch?
    var whenStuck: (@Sendable (SimulationStuck.Reason) -> Void)?
    var afterJobs: (@Sendable () -> Bool)?
    var cause: SimulationStuck.Reason?
  }

  private let network: SharedNetwork
  /// Where the thread waits for other threads; `nil` when the simulation is over.
  private let system: Lock<Epoll?>
  private let isInterrupted = Atomic<Bool>(false)
  private let busyTurns = Atomic<Int>(0)
  private let state = Lock(Watch())
  let patience: SimulationPatience
  private let turns = Atomic<Int>(0)
  private let waitsForOthers = Atomic<Bool>(false)

  init(network: SharedNetwork, patience: SimulationPatience) throws(SocketError) {
    self.network = network
    self.patience = patience
    system = Lock(try Epoll())
  }

  /// Gives back what the system has lent, once the loop's thread has ended.
  func close() { system.withLock { $0 = nil } }

  /// Whether it holds descriptors of the system.
  var isOpen: Bool { system.withLock { $0 != nil } }

  /// From now on the simulation has so much time.
  func beginWatch(limit: Duration) {
    state.withLock { $0.watch = SimulationWatch(limit: limit, patience: patience) }
  }

  /// From now on the simulation should end.
  func beginGrace() {
    let watch = SimulationWatch(graceFrom: network.withLock { $0.now }, patience: patience)
    state.withLock { $0.watch = watch }
  }

  /// Calls back, on the loop's thread and once in each watch, when the simulation goes on for ever, or when nothing will
  /// ever happen by itself, and nobody outside of the simulation has done anything about it for a second.
  func whenStuck(_ body: @escaping @Sendable (SimulationStuck.Reason) -> Void) {
    state.withLock { $0.whenStuck = body }
  }

  /// What was wrong when the simulation was told to end.
  var cause: SimulationStuck.Reason? { state.withLock { $0.cause } }

  var isInGrace: Bool { state.withLock { $0.watch?.isGrace ?? false } }

  /// Which turn of the loop is under way; `nil` while its thread waits for other threads.
  var turn: Int? {
    waitsForOthers.load(ordering: .acquiring) ? nil : turns.load(ordering: .relaxed)
  }

  /// Whether jobs have been ready for so long that it takes time.
  var isBusy: Bool { busyTurns.load(ordering: .relaxed) > Self.patience }

  /// Calls, on the loop's thread, whenever it has run the jobs of a turn; what is called says whether it has made new ones.
  func afterJobs(_ body: @escaping @Sendable () -> Bool) { state.withLock { $0.afterJobs = body } }

  func add(_ descriptor: Int32, for events: Epoll.Events, key: UInt64) -> Errno? {
    network.withLock { $0.register(descriptor, key: key) }
  }

  func interrupt() {
    isInterrupted.store(true, ordering: .releasing)
    system.withLock { $0?.interrupt() }
  }

  func wait(
    nanoseconds: Int64, woken: () -> Void, approaching: (UInt64, Proximity) -> Void,
    ready: (UInt64, Epoll.Events) -> Void
  ) {
    let wasInterrupted = isInterrupted.exchange(false, ordering: .acquiring)
    let (afterJobs, end, idleTurns) = state.withLock {
      ($0.afterJobs, $0.watch?.end, $0.watch?.idleTurns ?? 0)
    }
    let hasNewJobs = afterJobs?() ?? false
    let limit = wasInterrupted || hasNewJobs ? 0 : nanoseconds
    let isBusy = nanoseconds == 0
    let cost = costOfTurn(isBusy: isBusy, idleTurns: idleTurns)
    let (step, now, traffic) = network.withLock { network in
      if let cost { network.pass(cost) }
      var limit = limit
      if limit > 0, let end, end > network.now {
        limit = min(limit, end.nanoseconds - network.now.nanoseconds)
      }
      let step = network.step(atMost: limit)
      return (step, network.now, network.trace.traffic)
    }
    turns.add(1, ordering: .relaxed)
    notice { $0.noticeTurn(isBusy: isBusy, now: now, traffic: traffic) }
    switch step {
    case .events(let events):
      woken()
      for (key, events) in events { ready(key, events) }
    case .nothing:
      let end = MonotonicClock.shared.now.advanced(by: .nanoseconds(Self.foreignPatience))
      waitsForOthers.store(true, ordering: .releasing)
      system.withLock { $0 }?.wait(nanoseconds: Self.foreignPatience) {
      } approaching: { _, _ in
      } ready: { _, _ in
      }
      waitsForOthers.store(false, ordering: .releasing)
      if !isInterrupted.load(ordering: .acquiring), MonotonicClock.shared.now >= end {
        notice { $0.noticeDeadlock() }
      }
      woken()
    }
  }

  private func notice(_ look: (inout SimulationWatch) -> SimulationStuck.Reason?) {
    let (reason, whenStuck) = state.withLock { state in
      guard var watch = state.watch else { return (SimulationStuck.Reason?.none, state.whenStuck) }
      let reason = look(&watch)
      state.watch = watch
      if let reason, !watch.isGrace { state.cause = reason }
      return (reason, state.whenStuck)
    }
    if let reason { whenStuck?(reason) }
  }

  /// What a turn without sleep takes, once there have been many in a row; more where nothing comes of them.
  private func costOfTurn(isBusy: Bool, idleTurns: Int) -> Duration? {
    guard isBusy else {
      busyTurns.store(0, ordering: .relaxed)
      return nil
    }
    busyTurns.add(1, ordering: .relaxed)
    if !self.isBusy { return nil }
    switch idleTurns / Self.patience {
    case ..<10: return .microseconds(10)
    case ..<20: return .milliseconds(1)
    default: return .milliseconds(10)
    }
  }
}
