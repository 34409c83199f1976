import AsyncSockets

// What happens after the body: what it has begun ends, and what is left is a leak.

extension Simulation {
  /// How long what the body has left behind may take to end by itself.
  private static let settlingTime = Duration.seconds(86_400)

  /// Lets what the body has begun come to its end, and looks what is left.
  func finish<Value>(_ result: Result<Value, any Error>) async -> Outcome<Value> {
    var result = result
    let elapsed = world.elapsed
    if case .failure(let stuck as SimulationStuck) = result, stuck.wasGivenUp {
      return outcome(result, elapsed: elapsed)
    }
    let end = world.loop.now.advanced(by: Self.settlingTime)
    let mostEvents = world.network.withLock { $0.trace.count } + poller.patience.turnsOfGrace
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
    return outcome(result, elapsed: elapsed)
  }

  private var isQuiet: Bool {
    let census = world.loop.census
    return census.deadlines == 0 && census.registrations == 0 && openSockets.isEmpty && !poller.isBusy
  }

  private func leak() -> ResourcesLeaked? {
    let abandoned = world.loop.census.abandonedConnections - world.network.withLock { $0.excused }
    if abandoned > 0 {
      return ResourcesLeaked(
        description: "\(abandoned.of("connection")) dropped without close() or abort()"
          + world.network.withLock { $0.dropped }.map { "\n  \($0)" }.joined())
    }
    if isQuiet { return nil }
    let snapshot = world.loop.assumeIsolated { $0.snapshot() }
    return ResourcesLeaked(
      description: "left behind by the simulation: \(snapshot)"
        + (openSockets + (poller.isBusy ? ["a task that runs in a circle"] + whatRanLast : []))
        .map { "\n  \($0)" }.joined())
  }

  private var openSockets: [String] {
    world.network.withLock { network in
      network.sockets.indices.compactMap { index in
        network.sockets[index].map { socket -> String in
          if case .stream(let id) = socket.role {
            return "\(network.hosts[socket.host].name)'s end of \(network.name(ofStream: id))"
          }
          return "a socket of \(network.hosts[socket.host].name), "
            + (socket.local.map { "bound to \($0)" } ?? "not bound")
        }
      }
    }
  }
}
