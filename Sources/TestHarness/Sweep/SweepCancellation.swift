import AsyncSockets

/// Cancels a scenario at every moment at which it could be cancelled, and makes sure that each time it ends, and leaves
/// nothing behind.
///
/// ```swift
/// try await sweepCancellation(seed: 7) { world in
///   let connection = try await Connector().connect(to: "server", port: 80)
///   …
/// }
/// ```
///
/// The scenario runs once in a simulation (``withSimulation(seed:faults:_:)``), which counts its jobs. Then it runs again
/// and again with the same seed, and so in the same way, and its task is cancelled: each time at another point, right
/// before a job of the simulation runs (when what a task waits for may have come already), or right after. What it has
/// started with `SimulatedHost.start` is not cancelled before it has ended.
///
/// A run that comes another way to its point than the first did, or not at all, is a failure with ``SimulationDiverged``:
/// something in the scenario depends on more than the seed.
///
/// Each time the scenario must throw `CancellationError` or return, within an hour of the simulation; all that was opened
/// must be closed by then, or end by itself.
///
/// - Parameters:
///   - seed: of the simulation. Without one, the environment's `ASYNCSOCKETS_SEED`, or a new one every time.
///   - faults: as for `withSimulation`.
///   - point: to run that point alone, as the report of a failure says.
///   - limit: how many points to try at most; where there are more, every second, third … is tried.
///   - timeLimit: as for `withSimulation`, for each run.
///   - scenario: what is cancelled.
/// - Returns: how many points there are and were tried, to be printed.
/// - Throws: ``SimulationFailure`` when the scenario fails without being cancelled; ``CancellationSweepFailure`` for the first
///   point at which something is wrong; `SimulationError.invalid` for a point or limit below 1, and for a point
///   that the scenario does not have. `CancellationError`
///   when the caller is cancelled.
@discardableResult
public func sweepCancellation(
  seed: UInt64? = nil, faults: SystemCallFaults = SystemCallFaults(), at point: Int? = nil, limit: Int = 1000,
  timeLimit: Duration = .seconds(86_400),
  _ scenario: @escaping @Sendable (SimulatedWorld) async throws -> Void
) async throws -> CancellationSweep {
  if limit < 1 { throw SimulationError.invalid("a sweep tries at least 1 point, not \(limit)") }
  if let point, point < 1 {
    throw SimulationError.invalid("the points of a sweep count from 1, not \(point)")
  }
  let seed = try seed ?? environmentSeed() ?? .random(in: 0 ... .max)
  let run = CancelledRun(seed: seed, faults: faults, timeLimit: timeLimit, scenario: scenario)

  let uncancelled = try await run(cancelledAt: nil).get()
  if let point, point > uncancelled.points {
    throw SimulationError.invalid(
      "the scenario with seed \(seed) has \(uncancelled.points.of("point")), and so none that is number \(point)"
    )
  }
  var sweep = CancellationSweep(seed: seed, points: uncancelled.points, only: point, limit: limit)
  for point in sweep.pointsToTry {
    do {
      let way = CancelledRun.Point(number: point, course: uncancelled.course)
      sweep.note(try await run(cancelledAt: way).get().wasCancelled)
    } catch let failure as SimulationFailure {
      throw CancellationSweepFailure(point: point, points: sweep.points, failure: failure)
    }
  }
  return sweep
}
