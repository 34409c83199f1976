import AsyncSockets

/// Runs the jobs of a simulation in an order that follows from its seed.
final class SeededOrder: JobOrder {
  private struct State {
    var foreign: [String] = []
    var random: SeededRandom
    var enqueue: (@Sendable (UnownedJob) -> Void)?
    var hasThread = false
    var jobs = 0
    var interruption: Interruption?
    /// Only where it was asked for.
    var course: SimulationCourse?
    /// Where it went another way than the run before.
    var divergence: String?
    /// What the jobs of the last turn run: the addresses of functions.
    var lastFunctions: [UInt] = []
    var isOver = false
  }

  private struct Interruption {
    let moment: Int
    let earlier: SimulationCourse
    let act: @Sendable () -> Void
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
    let description = SimulationThread.stray(SimulationThread.function(of: job))
    state.withLock { $0.foreign.append(description) }
  }

  /// What came from other threads than the simulation's since the last call.
  func takeForeign() -> [String] {
    state.withLock { state in
      defer { state.foreign = [] }
      return state.foreign
    }
  }

  /// What ran last, so far as it can be named.
  var lastFunctions: [String] {
    Set(state.withLock { $0.lastFunctions }).sorted().map(SimulationThread.name(ofFunction:))
  }

  /// From now on no job runs any more. Those that come are forgotten, and their tasks never end.
  func end() { state.withLock { $0.isOver = true } }

  // MARK: Moments

  /// Which moment it is: there are two for each job that has run, right after it and right before the next.
  var moment: Int { state.withLock { $0.jobs * 2 } }

  /// Keeps in mind the way from here.
  func recordCourse() { state.withLock { $0.course = SimulationCourse() } }

  /// The way since then.
  var course: SimulationCourse { state.withLock { $0.course ?? SimulationCourse() } }

  /// Does something at a moment that is to come, on the loop's thread and between two jobs, and sees whether the way
  /// from here to it is that of an earlier run.
  func interrupt(at moment: Int, after earlier: SimulationCourse, _ act: @escaping @Sendable () -> Void) {
    state.withLock { $0.interruption = Interruption(moment: moment, earlier: earlier, act: act) }
  }

  /// Where the way to the interruption was another than that of the earlier run.
  var divergence: String? {
    state.withLock { state in
      state.divergence
        ?? (state.interruption == nil
          ? nil : "one was over after \(state.jobs.of("job")), and the other was not")
    }
  }

  private func noteCourse() {
    let stop = network.withLock { network in
      SimulationCourse.Stop(fingerprint: network.trace.fingerprint, time: network.now)
    }
    state.withLock { state in
      state.course?.note(stop, afterJobs: state.jobs)
      guard let next = state.interruption, state.divergence == nil else { return }
      state.divergence = next.earlier.difference(
        to: stop, afterJobs: state.jobs, isCut: state.jobs == next.moment / 2)
    }
  }

  /// The jobs of a turn have run.
  ///
  /// - Returns: whether that has led to something.
  func noticeEndOfTurn() -> Bool {
    // No job runs any more; until here each could bring others, which must not get out of the simulation.
    if state.withLock({ $0.isOver }) { SimulationThread.end() }
    return interrupt(offset: 0)
  }

  private func interrupt(offset: Int) -> Bool {
    let interruption = state.withLock { state -> Interruption? in
      guard let interruption = state.interruption, interruption.moment <= state.jobs * 2 + offset
      else { return nil }
      state.interruption = nil
      return interruption
    }
    interruption?.act()
    return interruption != nil
  }

  // MARK: Order

  /// Any order, and any number of them, is what a scheduler may choose.
  func arrange(_ jobs: inout ContiguousArray<UnownedJob>) -> Int {
    if state.withLock({ $0.isOver }) {
      jobs = []
      return 0
    }
    let (random, enqueue) = state.withLock { state -> (SeededRandom, (@Sendable (UnownedJob) -> Void)?) in
      defer { state.hasThread = true }
      return (state.random, state.hasThread ? nil : state.enqueue)
    }
    // It is the loop's own thread that calls, and this is the first time that it can be known.
    if let enqueue {
      SimulationThread.begin(enqueue: enqueue) { [network] in network.withLock { $0.now.nanoseconds } }
    }
    noteCourse()
    _ = interrupt(offset: 1)
    var generator = random
    let count = jobs.count
    var chosen = count
    if count > 1 {
      jobs.shuffle(using: &generator)
      if Bool.random(using: &generator) { chosen = Int.random(in: 1...count, using: &generator) }
      let advanced = generator
      state.withLock { $0.random = advanced }
    }
    state.withLock { state in
      if let next = state.interruption { chosen = min(chosen, next.moment / 2 - state.jobs) }
      state.jobs += chosen
      state.lastFunctions.removeAll(keepingCapacity: true)
      for job in jobs.prefix(min(chosen, 4)) {
        state.lastFunctions.append(SimulationThread.function(of: job))
      }
    }
    network.withLock { $0.trace.add(.turn(jobs: chosen), at: $0.now) }
    return chosen
  }
}
