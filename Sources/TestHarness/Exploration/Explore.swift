import AsyncSockets

/// Runs a scenario in a simulation with many seeds, each with faults of its own, and finds the least with which it fails.
///
/// ```swift
/// let faults = FaultMix(.crash("server"), .cut("client", "server"), upTo: 5, within: .seconds(60))
/// try await explore(seeds: 0..<10_000, faults: faults) { world in
///   world.host("server").start { … }
///   try await world.host("client").run { … }
/// }
/// ```
///
/// Each seed decides what goes wrong and when, and all that a seed decides in ``withSimulation(seed:faults:timeLimit:_:)``.
/// When a seed fails, it is run again with fewer and shorter faults for as long as it fails in the same way (an error of the
/// same type and case, or a history that violates the same check), and what is left is thrown with a ``ReplayToken``. In any process,
/// ``explore(replaying:systemCalls:timeLimit:_:)`` and the environment's `ASYNCSOCKETS_REPLAY` run that alone.
///
/// Several simulations run at a time, each on a thread of its own. That changes nothing: it is always the first seed that
/// fails which is reported.
///
/// - Parameters:
///   - seeds: which seeds, in this order. Where the environment sets `ASYNCSOCKETS_SEED`, that one alone.
///   - faults: what may go wrong; nothing unless given.
///   - systemCalls: what the simulated kernels do at any time, as real ones do seldom.
///   - timeLimit: how long each run may go on, in its own time; a day unless set.
///   - budget: real time after which no further seed begins; without one, all are tried.
///   - concurrency: how many simulations run at a time; as many as there are cores unless set.
///   - onProgress: is told how far it has come, after each run; one call at a time.
///   - scenario: the simulation. It must hold nothing outside of it that another run would see changed.
/// - Returns: what was tried, when nothing failed.
/// - Throws: ``ExplorationFailure``; ``SimulationDiverged`` when a failure is another the second time;
///   `SimulationError.invalid` for faults, limits and a token that cannot be, before anything runs, and for faults of a
///   host that no run had; `CancellationError` when the caller is cancelled.
@discardableResult
public func explore(
  seeds: some Sequence<UInt64>, faults: FaultMix = .none,
  systemCalls: SystemCallFaults = SystemCallFaults(), timeLimit: Duration = .seconds(86_400),
  budget: Duration? = nil, concurrency: Int? = nil,
  onProgress: (@Sendable (Exploration.Progress) -> Void)? = nil,
  _ scenario: @escaping @Sendable (SimulatedWorld) async throws -> Void
) async throws -> Exploration {
  try faults.validate()
  if let concurrency, !(1...1024).contains(concurrency) {
    throw SimulationError.invalid("1 to 1024 simulations can run at a time, not \(concurrency)")
  }
  let explorer = Explorer(
    mix: faults, systemCalls: systemCalls, timeLimit: timeLimit, onProgress: onProgress, scenario: scenario)
  if let token = try ReplayToken.asked(by: TextFile.environmentVariable("ASYNCSOCKETS_REPLAY")) {
    return try await explorer.replay(token)
  }
  let count = try concurrency ?? EventLoopGroup.shared.loops.count
  let (exploration, found) =
    if let seed = try environmentSeed() {
      try await explorer.search(CollectionOfOne(seed), concurrency: 1, budget: nil)
    } else {
      try await explorer.search(seeds, concurrency: count, budget: budget)
    }
  if let found { throw try await explorer.shrink(found) }
  return exploration
}

/// Runs a scenario as a ``ReplayToken`` says, once.
///
/// - Parameters:
///   - token: what the report of a failure shows.
///   - systemCalls: as for the exploration that has found it.
///   - timeLimit: the same.
///   - scenario: the same.
/// - Returns: when it has not failed: the scenario is mended, or is not what the token was made with.
/// - Throws: ``ExplorationFailure`` when it fails; `SimulationError.invalid` for what is no token, with what is wrong, and
///   for faults of a host that the scenario does not have.
@discardableResult
public func explore(
  replaying token: String, systemCalls: SystemCallFaults = SystemCallFaults(),
  timeLimit: Duration = .seconds(86_400),
  _ scenario: @escaping @Sendable (SimulatedWorld) async throws -> Void
) async throws -> Exploration {
  let explorer = Explorer(
    mix: .none, systemCalls: systemCalls, timeLimit: timeLimit, onProgress: nil, scenario: scenario)
  return try await explorer.replay(try ReplayToken(token))
}
