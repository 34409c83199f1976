import AsyncSockets

/// Runs the jobs of a simulation in an order that follows from its seed.
final class SeededOrder: JobOrder {
  private struct State {
    var foreign: [String] = []
    var random: SeededRandom
    var enqueue: (@Sendable (UnownedJob) -> Void)?
    var hasThread = false
  }

  private let state: Lock<State>
  private let network: SharedNetwork

  init(seed: UInt64, network: SharedNetwork) {
    state = Lock(State(random: SeededRandom(seed: seed)))
    self.network = network
  }

  func attach(_ enqueue: @escaping @Sendable (UnownedJob) -> Void) {
    state.withLock { $0.enqueue = enqueue }
  }

  func noticeForeign(_ job: UnownedJob) {
    let description = SimulationThread.describe(job)
    state.withLock { $0.foreign.append(description) }
  }

  /// What came from other threads than the simulation's since the last call.
  func takeForeign() -> [String] {
    state.withLock { state in
      defer { state.foreign = [] }
      return state.foreign
    }
  }

  /// Any order, and any number of them, is what a scheduler may choose.
  func arrange(_ jobs: inout ContiguousArray<UnownedJob>) -> Int {
    let (random, enqueue) = state.withLock { state -> (SeededRandom, (@Sendable (UnownedJob) -> Void)?) in
      defer { state.hasThread = true }
      return (state.random, state.hasThread ? nil : state.enqueue)
    }
    // It is the loop's own thread that calls, and this is the first time that it can be known.
    if let enqueue {
      SimulationThread.begin(enqueue: enqueue) { [network] in network.withLock { $0.now.nanoseconds } }
    }
    var generator = random
    let count = jobs.count
    var chosen = count
    if count > 1 {
      jobs.shuffle(using: &generator)
      if Bool.random(using: &generator) { chosen = Int.random(in: 1...count, using: &generator) }
      let advanced = generator
      state.withLock { $0.random = advanced }
    }
    network.withLock { $0.trace.add(.turn(jobs: chosen), at: $0.now) }
    return chosen
  }
}
