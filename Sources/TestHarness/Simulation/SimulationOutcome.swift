extension Simulation {
  /// What came of it.
  struct Outcome<Value: Sendable>: Sendable {
    let seed: UInt64
    let result: Result<Value, any Error>
    let fingerprint: UInt64
    let elapsed: Duration
    let network: SharedNetwork

    var trace: [String] { network.withLock { $0.traceLines(last: 4096) } }

    var timeline: SimulationTimeline { network.withLock { $0.timeline } }

    /// The names of the hosts that the scenario had.
    var hosts: [String] { network.withLock { $0.hosts.filter(\.isAskedFor).map(\.name) } }

    /// The same with another end.
    func failing(_ error: any Error) -> Self {
      Self(
        seed: seed, result: .failure(error), fingerprint: fingerprint, elapsed: elapsed,
        network: network)
    }

    @discardableResult
    func get() throws -> Value {
      switch result {
      case .success(let value): return value
      case .failure(let error):
        // That something is leaked must be known to a cancelled caller, too.
        if (error as? SimulationStuck)?.wasGivenUp != true { try Task.checkCancellation() }
        throw SimulationFailure(
          seed: seed, elapsed: elapsed, underlying: error, trace: trace,
          disturbances: network.withLock { $0.disturbances },
          timeline: timeline.untilThrown(SimulatedNetwork.thrown(error)))
      }
    }
  }
}
