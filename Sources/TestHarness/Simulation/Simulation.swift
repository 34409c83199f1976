import AsyncSockets

/// One run of a simulation.
struct Simulation: Sendable {
  let world: SimulatedWorld
  private let loops: EventLoopGroup
  /// Where the caller waits, in real time.
  private let outside: EventLoop

  var poller: SimulatedPoller { world.poller }

  init(seed: UInt64, faults: SystemCallFaults, timeLimit: Duration) throws {
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
      seed: seed, loop: loop, loops: loops, network: network, order: order, poller: poller)
  }

  func run<Value: Sendable>(
    _ body: @escaping @Sendable (SimulatedWorld) async throws -> Value
  ) async -> Outcome<Value> {
    let end = FirstValue<Outcome<Value>>()
    let home = world.host("localhost")
    let run = Task(executorPreference: world.loop.executor) {
      // Where a detached task looks.
      Environment.setFallback(world.environment)
      let outcome = await home.run { await finish(await attempt(body)) }
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

  /// Waits for the outcome, but no longer than the simulation's thread makes turns, where the simulation should end.
  private func outcome<Value>(_ end: FirstValue<Outcome<Value>>) async -> Outcome<Value> {
    let patience = poller.patience.turn
    var lastTurn: Int?
    while true {
      let limit = outside.now.advanced(by: patience)
      if let outcome = await end.wait(until: limit, on: outside, isCancellable: false) {
        await loops.shutdown()
        return outcome
      }
      let turn = poller.turn
      if poller.isInGrace, turn != nil, turn == lastTurn {
        let stuck = SimulationStuck(
          reason: .keptThread(patience), waiting: (whatRanLast + [whoRuns]).joined(separator: "\n"),
          wasGivenUp: true)
        return outcome(.failure(stuck), elapsed: world.elapsed)
      }
      lastTurn = poller.isInGrace ? turn : nil
    }
  }

  func outcome<Value>(_ result: Result<Value, any Error>, elapsed: Duration) -> Outcome<Value> {
    Outcome(
      seed: world.seed, result: result, fingerprint: world.fingerprint, elapsed: elapsed,
      trace: world.trace(), disturbances: world.network.withLock { $0.disturbances })
  }
}
