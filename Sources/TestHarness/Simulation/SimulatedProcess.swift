/// What runs on a host of a simulation from one boot to the next crash.
struct SimulatedProcess: Hashable, Sendable {
  let host: Int
  /// Which of the host's, counted from 0.
  let number: Int

  /// That of the current task; on no host of its own, it is on the first.
  static var current: SimulatedProcess {
    SimulatedHost.current.map { SimulatedProcess(host: $0.number, number: $0.process) }
      ?? SimulatedProcess(host: 0, number: 0)
  }
}
