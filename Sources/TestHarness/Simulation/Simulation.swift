import AsyncSockets

/// One run of a simulation.
struct Simulation: Sendable {
  let world: SimulatedWorld
  private let loops: EventLoopGroup
  /// Where the caller waits, in real time.
  private let outside: EventLoop

  var poller: SimulatedPoller { world.poller }

  init(
    seed: UInt64, faults: SystemCallFaults, timeLimit: Duration, plan: [PlannedFault] = []
  ) throws {
    if SimulationThread.isCurrent {
      throw SimulationError.invalid(
        "a simulation cannot begin inside of another: give the one that runs more hosts, or begin the other outside"
      )
    }
    try faults.validate()
    if timeLimit <= .zero {
      throw SimulationError.invalid("a simulation needs a time limit above zero, not \(timeLimit)")
    }
    outside = try EventLoopGroup.shared.next()
    let network = SharedNetwork(SimulatedNetwork(seed: seed, faults: faults))
    let poller = try SimulatedPoller(network: network, patience: .current)
    let order = SeededOrder(seed: seed ^ 0x6f72_6465_72, network: network)
    poller.beginWatch(limit: timeLimit)
    poller.afterJobs { order.noticeEndOfTurn() }
    let kernel = SimulatedKernel(network: network, poller: poller)
    let loop = try EventLoop(clock: SimulatedClock(network: network), kernel: kernel, order: order)
    kernel.witness.attach(loop)
    loops = try EventLoopGroup([loop])
    world = SimulatedWorld(
      seed: seed, loop: loop, loops: loops, network: network, order: order, poller: poller, faults: plan)
    if !plan.isEmpty {
      world.services.add(
        .init(host: "the plan of faults") { [world] in
          var driver = FaultDriver(world)
          try await driver.run(plan)
        })
    }
  }

  func run<Value: Sendable>(
    _ body: @escaping @Sendable (SimulatedWorld) async throws -> Value
  ) async -> Outcome<Value> {
    let end = FirstValue<Outcome<Value>>()
    let home = world.host("localhost")
    let run = Task(executorPreference: world.loop.executor) {
      // Where a detached task looks.
      Environment.setFallback(world.environment)
      let outcome = await home.enter {
        let result = await attempt(body)
        // What services have captured is not left behind by them.
        world.end()
        return await finish(result)
      }
      Environment.setFallback(nil)
      world.order.end()
      SimulationThread.outside { end.give(outcome) }
    }
    return await withTaskCancellationHandler {
      await outcome(end)
    } onCancel: {
      poller.beginGrace()
      run.cancel()
    }
  }

  /// Waits for the outcome, but no longer than the simulation's thread makes turns.
  private func outcome<Value>(_ end: FirstValue<Outcome<Value>>) async -> Outcome<Value> {
    let patience = poller.patience
    var last: (turn: Int, isGrace: Bool)?
    // Counted, so that a process that was stopped, as by a debugger, has missed one look and no more.
    var looks = 0
    while true {
      let limit = outside.now.advanced(by: patience.turn)
      if let outcome = await end.wait(until: limit, on: outside, isCancellable: false) {
        await close()
        return outcome
      }
      let now = poller.turn.map { (turn: $0, isGrace: poller.isInGrace) }
      if let now, let last, now == last { looks += 1 } else { looks = 0 }
      last = now
      guard let now, looks > 0 else { continue }
      let kept = now.isGrace ? patience.turn : patience.computation
      if patience.turn * looks >= kept {
        let stuck = SimulationStuck(
          reason: .keptThread(kept), cause: poller.cause, wasToldToEnd: now.isGrace,
          waiting: (whatRanLast + whoRuns).joined(separator: "\n"), wasGivenUp: true)
        // If the thread is ever let go, it ends.
        Task(executorPreference: outside.executor) {
          _ = await end.wait(on: outside, isCancellable: false)
          await close()
        }
        return outcome(.failure(stuck), elapsed: world.elapsed)
      }
    }
  }

  /// Ends the thread. What was given up may hold the loop for ever, but that needs nothing of the system any more.
  private func close() async {
    await loops.shutdown()
    poller.close()
  }

  func outcome<Value>(_ result: Result<Value, any Error>, elapsed: Duration) -> Outcome<Value> {
    Outcome(
      seed: world.seed, result: result, fingerprint: world.fingerprint, elapsed: elapsed,
      network: world.network)
  }
}
