import AsyncSockets

/// Runs servers and clients over a network in memory, in virtual time, in an order that follows from a seed.
///
/// ```swift
/// try await withSimulation(seed: 7) { world in
///   let server = try await world.host("server").run { try await TCPServer.bind(on: .any(port: 80)) }
///   world.host("server").start { try await server.run { connection in … } }
///   try await world.host("client").run {
///     let connection = try await Connector().connect(to: "server", port: 80)
///     …
///   }
/// }
/// ```
///
/// Everything in the body runs on one event loop: the same code as in production, over a simulated kernel. Time stands
/// still while anything can run, and jumps to the next deadline or packet when nothing can. `Task {}`, `Task.detached`,
/// `Task.sleep` and the clocks of the standard library stay in the simulation where the compiler's runtime allows it
/// (`simulationCoversRuntime`). What the simulation resumes outside of itself goes on inside, until something outside
/// resumes it.
///
/// When the body has ended, what it has begun may come to its end by itself, for up to a day of the simulation; what is
/// left then is an error.
///
/// A simulation that would never end is cancelled: where every task waits for what nobody will do, where jobs run and run
/// and nobody sleeps, where the time limit is over. What does not end when it is cancelled, for whatever reason, is given
/// up after an hour of the simulation, or ten seconds for which it does not let go of the simulation's thread: the caller
/// gets the error, the tasks are leaked. Who keeps the thread for sixty seconds of real time is given up at any time,
/// though the thread goes on: a computation that takes longer must wait now and then (`Task.yield()`).
///
/// - Parameters:
///   - seed: what everything follows from. Without one, the environment's `ASYNCSOCKETS_SEED`, or a new one every time.
///   - faults: what the simulated kernel does at any time, as real ones do seldom.
///   - timeLimit: how long it may go on, in its own time; a day unless set.
///   - body: the simulation.
/// - Returns: what the body returns.
/// - Throws: `SimulationFailure`, with the seed and what the body threw, `SimulationStuck` when it would never
///   end, `StrayJobs` when something has left the simulation, or `ResourcesLeaked`.
///   `SimulationError.invalid` for faults and limits that cannot be, and inside of another simulation.
///   `CancellationError` when the caller is cancelled and the body does end.
@discardableResult
public func withSimulation<Value: Sendable>(
  seed: UInt64? = nil, faults: SystemCallFaults = SystemCallFaults(), timeLimit: Duration = .seconds(86_400),
  _ body: @escaping @Sendable (SimulatedWorld) async throws -> Value
) async throws -> Value {
  let seed = try seed ?? environmentSeed() ?? .random(in: 0 ... .max)
  return try await (try Simulation(seed: seed, faults: faults, timeLimit: timeLimit)).run(body).get()
}

/// Runs a simulation with many seeds, each of them twice, and makes sure that both times are the same.
///
/// - Parameters:
///   - seeds: which seeds, one after the other. Where the environment sets `ASYNCSOCKETS_SEED`, that one alone.
///   - faults: as for `withSimulation`.
///   - timeLimit: as for `withSimulation`, for each run.
///   - body: the simulation.
/// - Throws: `SimulationFailure` for the first seed that fails; `SimulationDiverged` for the first of which two runs
///   differ.
public func withSimulations(
  seeds: some Sequence<UInt64>, faults: SystemCallFaults = SystemCallFaults(),
  timeLimit: Duration = .seconds(86_400),
  _ body: @escaping @Sendable (SimulatedWorld) async throws -> Void
) async throws {
  if let seed = try environmentSeed() {
    return try await runTwice(seed: seed, faults: faults, timeLimit: timeLimit, body)
  }
  for seed in seeds { try await runTwice(seed: seed, faults: faults, timeLimit: timeLimit, body) }
}

private func runTwice(
  seed: UInt64, faults: SystemCallFaults, timeLimit: Duration,
  _ body: @escaping @Sendable (SimulatedWorld) async throws -> Void
) async throws {
  let first = await (try Simulation(seed: seed, faults: faults, timeLimit: timeLimit)).run(body)
  try first.get()
  let second = await (try Simulation(seed: seed, faults: faults, timeLimit: timeLimit)).run(body)
  try Task.checkCancellation()
  guard first.fingerprint == second.fingerprint else {
    throw SimulationDiverged(
      seed: seed, difference: difference((first.trace, first.timeline), (second.trace, second.timeline)))
  }
}

/// The seed that `ASYNCSOCKETS_SEED` asks for.
func environmentSeed() throws(SimulationError) -> UInt64? {
  guard let text = TextFile.environmentVariable("ASYNCSOCKETS_SEED") else { return nil }
  guard let seed = UInt64(text) else {
    throw .invalid(
      "ASYNCSOCKETS_SEED must be a number from 0 to \(UInt64.max), but is \(text.debugDescription)")
  }
  return seed
}

/// The first lines that differ: of the traces, or where only what was sent does, of the time lines.
func difference(
  _ first: (trace: [String], timeline: SimulationTimeline),
  _ second: (trace: [String], timeline: SimulationTimeline)
) -> String {
  difference(first.trace, second.trace)
    ?? difference(first.timeline.lines, second.timeline.lines)
    ?? "the traces that are kept do not show where"
}

private func difference(_ first: [String], _ second: [String]) -> String? {
  let place = zip(first, second).enumerated().first { $0.element.0 != $0.element.1 }
  guard let (index, lines) = place else { return nil }
  let before = first[..<index].suffix(5).map { "       \($0)\n" }.joined()
  return "\(before)first: \(lines.0)\nthen:  \(lines.1)"
}

/// Whether simulations cover Swift's runtime: with a runtime that is linked statically, or one of another version, they may
/// not. Then `Task {}` and `Task.sleep` take place outside, in real time, and what they do depends on more than the seed.
public var simulationCoversRuntime: Bool { SimulationThread.isPossible }
