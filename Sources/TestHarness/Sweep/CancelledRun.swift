import AsyncSockets

/// One run of a scenario whose task is cancelled at some point.
struct CancelledRun: Sendable {
  struct End: Sendable {
    /// Whether the scenario threw `CancellationError`.
    let wasCancelled: Bool
    /// How many points there were from its beginning to its end.
    let points: Int
    /// The way to its end.
    let course: SimulationCourse
  }

  /// Where it is cancelled, and the run that shows the way there.
  struct Point: Sendable {
    let number: Int
    let course: SimulationCourse
  }

  let seed: UInt64
  let faults: SystemCallFaults
  let timeLimit: Duration
  let scenario: @Sendable (SimulatedWorld) async throws -> Void

  func callAsFunction(cancelledAt point: Point?) async throws -> Simulation.Outcome<End> {
    let simulation = try Simulation(seed: seed, faults: faults, timeLimit: timeLimit)
    let outcome = await simulation.run { world in try await run(in: world, cancelledAt: point) }
    // That a machine was too slow is no other way.
    if case .failure(let stuck as SimulationStuck) = outcome.result, stuck.wasGivenUp { return outcome }
    guard let divergence = simulation.world.order.divergence, !Task.isCancelled else { return outcome }
    return outcome.failing(SimulationDiverged(seed: seed, difference: divergence))
  }

  private func run(in world: SimulatedWorld, cancelledAt point: Point?) async throws -> End {
    let scenario = scenario
    let start = world.order.moment
    let isOver = Latch()
    // A task of its own, since a handle is what can be cancelled between two jobs; a child waits for its parent's job.
    let task = Task(executorPreference: world.loop.executor) {
      defer { isOver.open() }
      try await scenario(world)
    }
    if point == nil { world.order.recordCourse() }
    if let point {
      world.order.interrupt(at: start + point.number, after: point.course) {
        task.cancel()
        world.poller.beginGrace()
      }
    }
    if await isOver.wait(on: world.loop) == .cancelled {
      task.cancel()
      // Who does not listen to a cancellation is given up with the simulation.
      _ = await isOver.wait(on: world.loop, isCancellable: false)
    }
    let result = await task.result
    let (points, course) = (world.order.moment - start, world.order.course)
    do {
      try result.get()
      return End(wasCancelled: false, points: points, course: course)
    } catch let error as CancellationError {
      if point == nil { throw error }
      return End(wasCancelled: true, points: points, course: course)
    }
  }
}
