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

  init(seed: UInt64, faults: SystemCallFaults) throws(SocketError) {
    let network = SharedNetwork(SimulatedNetwork(seed: seed, faults: faults))
    poller = try SimulatedPoller(network: network)
    let loop = try EventLoop(
      clock: SimulatedClock(network: network), kernel: SimulatedKernel(network: network, poller: poller),
      order: SeededOrder(seed: seed ^ 0x6f72_6465_72, network: network))
    loops = try EventLoopGroup([loop])
    world = SimulatedWorld(seed: seed, loop: loop, loops: loops, network: network)
  }

  func run<Value: Sendable>(
    _ body: @escaping @Sendable (SimulatedWorld) async throws -> Value
  ) async -> Outcome<Value> {
    let home = world.host("localhost")
    let outcome = await withTaskGroup(of: Outcome<Value>.self) { group in
      group.addTask(executorPreference: world.loop.executor) {
        await home.run { await finish(await attempt(body)) }
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
        guard await isStuck.wait(on: world.loop) == .opened else { return nil }
        return .failure(SimulationStuck(waiting: await world.loop.snapshot().description))
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      // Cancelled from outside, the watchman may be the first to go.
      let second = await group.next() ?? nil
      return first ?? second ?? .failure(CancellationError())
    }
  }

  /// Lets what the body has begun come to its end, and looks what is left.
  private func finish<Value>(_ result: Result<Value, any Error>) async -> Outcome<Value> {
    var result = result
    let end = world.loop.now.advanced(by: Self.settlingTime)
    let mostEvents = world.network.withLock { $0.trace.count } + Self.settlingEvents
    while !isQuiet, world.loop.now < end, world.network.withLock({ $0.trace.count }) < mostEvents {
      // A cancelled caller waits no less.
      _ = await Latch().wait(
        until: world.loop.now.advanced(by: .seconds(1)), on: world.loop, isCancellable: false)
    }
    if case .success = result, let leak = leak() { result = .failure(leak) }
    let (fingerprint, now) = world.network.withLock { ($0.trace.fingerprint, $0.now) }
    return Outcome(
      result: result, fingerprint: fingerprint, elapsed: .nanoseconds(now.nanoseconds), trace: world.trace())
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
