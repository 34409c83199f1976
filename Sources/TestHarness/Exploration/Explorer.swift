import AsyncSockets

/// Runs one scenario with many seeds, and finds the least with which it fails.
struct Explorer: Sendable {
  struct Found: Sendable {
    let token: ReplayToken
    let failure: SimulationFailure
    let fingerprint: UInt64
  }

  private struct Trial: Sendable {
    let index: Int
    let token: ReplayToken
    let run: Run
  }

  private struct Run: Sendable {
    let elapsed: Duration
    let hosts: [String]
    let found: Found?
  }

  /// Runs that are worth a developer's time, once a failure is found.
  private static let mostRuns = 200
  /// And how long they may take, in real time.
  private static let shrinkingTime = Duration.seconds(60)

  let mix: FaultMix
  let systemCalls: SystemCallFaults
  let timeLimit: Duration
  let onProgress: (@Sendable (Exploration.Progress) -> Void)?
  let scenario: @Sendable (SimulatedWorld) async throws -> Void

  /// - Returns: how it fails, if it does.
  /// - Throws: `CancellationError`.
  private func run(_ token: ReplayToken) async throws -> Run {
    let simulation = try Simulation(
      seed: token.seed, faults: systemCalls, timeLimit: timeLimit, plan: token.faults)
    let outcome = await simulation.run(scenario)
    do {
      try outcome.get()
      return Run(elapsed: outcome.elapsed, hosts: outcome.hosts, found: nil)
    } catch let failure as SimulationFailure {
      let found = Found(token: token, failure: failure, fingerprint: outcome.fingerprint)
      return Run(elapsed: outcome.elapsed, hosts: outcome.hosts, found: found)
    }
  }

  /// Tries seeds until one fails, so many at a time, and tells the first of them in their order that does.
  func search(
    _ seeds: some Sequence<UInt64>, concurrency: Int, budget: Duration?
  ) async throws -> (exploration: Exploration, found: Found?) {
    let end = budget.map { MonotonicClock.shared.now.advanced(by: $0) }
    var exploration = Exploration()
    var first: Trial?
    var hosts: Set = ["localhost"]
    var rest = seeds.enumerated().makeIterator()
    try await withThrowingTaskGroup(of: Trial.self) { group in
      func begin() {
        guard first == nil, let (index, seed) = rest.next() else { return }
        if let end, MonotonicClock.shared.now >= end {
          exploration.isCutShort = true
          return
        }
        group.addTask {
          let token = ReplayToken(seed: seed, faults: mix.plan(seed: seed))
          return Trial(index: index, token: token, run: try await run(token))
        }
      }
      for _ in 0..<concurrency { begin() }
      while let trial = try await group.next() {
        exploration.seeds += 1
        exploration.faults += trial.token.faults.count
        exploration.elapsed += trial.run.elapsed
        hosts.formUnion(trial.run.hosts)
        if trial.run.found == nil {
          onProgress?(.explored(seeds: exploration.seeds))
        } else if first.map({ trial.index < $0.index }) ?? true {
          first = trial
        }
        begin()
      }
    }
    if first == nil, exploration.seeds > 0 { try mix.validate(hosts: hosts) }
    return (exploration, first?.run.found)
  }

  /// Finds the least with which it still fails in the same way.
  ///
  /// - Throws: `SimulationDiverged` when it fails in another way as it stands, or not at all.
  func shrink(_ found: Found) async throws -> ExplorationFailure {
    let again = try await run(found.token).found
    if again?.fingerprint != found.fingerprint { throw divergence(found, again) }
    let end = MonotonicClock.shared.now.advanced(by: Self.shrinkingTime)
    let kind = FailureKind(found.failure.underlying)
    var shrinker = FaultShrinker(found.token.faults)
    var smallest = found
    var runs = 0
    while runs < Self.mostRuns, MonotonicClock.shared.now < end, let plan = shrinker.next() {
      runs += 1
      let trial = try await run(ReplayToken(seed: found.token.seed, faults: plan)).found
      let fails = trial.map { FailureKind($0.failure.underlying) == kind } ?? false
      if fails, let trial { smallest = trial }
      shrinker.note(fails: fails)
      onProgress?(.shrinking(seed: found.token.seed, faults: shrinker.plan.count, runs: runs))
    }
    return ExplorationFailure(
      token: smallest.token, failure: smallest.failure, foundFaults: found.token.faults.count, runs: runs)
  }

  private func divergence(_ found: Found, _ again: Found?) -> SimulationDiverged {
    guard let again else {
      return SimulationDiverged(
        seed: found.token.seed,
        difference: "it failed the first time, and not the second: \(found.failure.underlying)")
    }
    return SimulationDiverged(
      seed: found.token.seed,
      difference: difference(
        (found.failure.trace, found.failure.timeline), (again.failure.trace, again.failure.timeline)))
  }

  /// Runs what a token says, alone.
  func replay(_ token: ReplayToken) async throws -> Exploration {
    let run = try await run(token)
    if let found = run.found {
      throw ExplorationFailure(
        token: token, failure: found.failure, foundFaults: token.faults.count, runs: 0)
    }
    try token.validate(hosts: Set(run.hosts + ["localhost"]))
    return Exploration(
      seeds: 1, faults: token.faults.count, elapsed: run.elapsed, isCutShort: false, replayed: token)
  }
}
