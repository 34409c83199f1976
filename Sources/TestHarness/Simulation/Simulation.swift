import AsyncSockets

/// One run of a simulation.
struct Simulation: Sendable {
  /// What came of it.
  struct Outcome<Value: Sendable>: Sendable {
    let result: Result<Value, any Error>
    let fingerprint: UInt64
    let elapsed: Duration
    let trace: [String]
  }

  /// How long what the body has left behind may take to end by itself.
  private static let settlingTime = Duration.seconds(86_400)
  private static let settlingEvents = 1_000_000

  private let world: SimulatedWorld
  private let poller: SimulatedPoller
  private let loops: EventLoopGroup

  init(seed: UInt64, faults: SystemCallFaults) throws {
    try faults.validate()
    let network = SharedNetwork(SimulatedNetwork(seed: seed, faults: faults))
    poller = try SimulatedPoller(network: network)
    let order = SeededOrder(seed: seed ^ 0x6f72_6465_72, network: network)
    poller.afterJobs { order.noticeEndOfTurn() }
    let loop = try EventLoop(
      clock: SimulatedClock(network: network),
      kernel: SimulatedKernel(network: network, poller: poller), order: order)
    loops = try EventLoopGroup([loop])
    world = SimulatedWorld(seed: seed, loop: loop, loops: loops, network: network, order: order)
  }

  func run<Value: Sendable>(
    _ body: @escaping @Sendable (SimulatedWorld) async throws -> Value
  ) async -> Outcome<Value> {
    let home = world.host("localhost")
    let outcome = await withTaskGroup(of: Outcome<Value>.self) { group in
      group.addTask(executorPreference: world.loop.executor) {
        // Where a detached task looks.
        Environment.setFallback(world.environment)
        let outcome = await home.run { await finish(await attempt(body)) }
        Environment.setFallback(nil)
        // What goes on when this task ends is not part of the simulation.
        SimulationThread.end()
        return outcome
      }
      guard let outcome = await group.next() else { preconditionFailure("a task was added") }
      return outcome
    }
    await loops.shutdown()
    return outcome
  }

  /// Runs the body until it ends, or until nothing can happen any more.
  private func attempt<Value: Sendable>(
    _ body: @escaping @Sendable (SimulatedWorld) async throws -> Value
  ) async -> Result<Value, any Error> {
    let isStuck = Latch()
    poller.whenStuck { isStuck.open() }
    defer { poller.whenStuck(nil) }
    return await withTaskGroup(of: Result<Value, any Error>?.self) { group in
      group.addTask {
        do { return .success(try await body(world)) } catch { return .failure(error) }
      }
      group.addTask {
        do { try await world.services.run(on: world.loop) } catch { return .failure(error) }
        return nil
      }
      group.addTask {
        guard await isStuck.wait(on: world.loop) == .opened else { return nil }
        return .failure(SimulationStuck(waiting: await world.loop.snapshot().description))
      }
      var result: Result<Value, any Error>?
      for await end in group where result == nil {
        result = end
        if result != nil { group.cancelAll() }
      }
      return result ?? .failure(CancellationError())
    }
  }

  /// Lets what the body has begun come to its end, and looks what is left.
  private func finish<Value>(_ result: Result<Value, any Error>) async -> Outcome<Value> {
    var result = result
    let elapsed = world.elapsed
    let end = world.loop.now.advanced(by: Self.settlingTime)
    let mostEvents = world.network.withLock { $0.trace.count } + Self.settlingEvents
    // Twice, since a job that is about to run holds nothing yet; time passes only when nothing can run.
    var quiet = isQuiet ? 1 : 0
    while quiet < 2, world.loop.now < end, world.network.withLock({ $0.trace.count }) < mostEvents {
      // A cancelled caller waits no less.
      _ = await Latch().wait(
        until: world.loop.now.advanced(by: quiet > 0 ? .nanoseconds(1) : .seconds(1)), on: world.loop,
        isCancellable: false)
      quiet = isQuiet ? quiet + 1 : 0
    }
    if case .success = result {
      // The first came from outside by right.
      let strays = world.order.takeForeign().dropFirst()
      if !strays.isEmpty {
        result = .failure(StrayJobs(functions: Array(strays)))
      } else if let leak = leak() {
        result = .failure(leak)
      }
    }
    return Outcome(
      result: result, fingerprint: world.fingerprint, elapsed: elapsed, trace: world.trace())
  }

  private var isQuiet: Bool {
    let census = world.loop.census
    return census.deadlines == 0 && census.registrations == 0 && openSockets.isEmpty
  }

  private func leak() -> ResourcesLeaked? {
    let abandoned = world.loop.census.abandonedConnections
    if abandoned > 0 {
      return ResourcesLeaked(description: "\(abandoned) connections were dropped without close() or abort()")
    }
    if isQuiet { return nil }
    let snapshot = world.loop.assumeIsolated { $0.snapshot() }
    return ResourcesLeaked(
      description: "left behind by the simulation: \(snapshot)"
        + openSockets.map { "\n  \($0)" }.joined())
  }

  private var openSockets: [String] {
    world.network.withLock { network in
      network.sockets.indices.compactMap { index in
        network.sockets[index].map { socket in
          "socket \(index) of \(network.hosts[socket.host].name), "
            + (socket.local.map { "bound to \($0)" } ?? "not bound")
        }
      }
    }
  }
}
