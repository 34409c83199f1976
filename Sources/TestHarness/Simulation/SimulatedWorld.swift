import AsyncSockets

/// A simulation from the inside: its hosts, what connects them, its time and its chance.
public final class SimulatedWorld: Sendable {
  /// What everything follows from.
  public let seed: UInt64
  /// Where everything runs.
  public let loop: EventLoop

  let network: SharedNetwork
  let environment: Environment
  let order: SeededOrder
  let poller: SimulatedPoller
  let services: SimulatedServices
  /// Opens when the body ends.
  let isBodyOver = Latch()
  /// What goes wrong by plan.
  public let faults: [PlannedFault]
  private let chance: Lock<SeededRandom>
  private let work = Lock(Work())

  private struct Work {
    /// By number of host.
    var ofHosts: [HostWork] = []
    var isOver = false
  }

  init(
    seed: UInt64, loop: EventLoop, loops: EventLoopGroup, network: SharedNetwork, order: SeededOrder,
    poller: SimulatedPoller, faults: [PlannedFault]
  ) {
    self.faults = faults
    self.seed = seed
    self.order = order
    self.poller = poller
    self.loop = loop
    self.network = network
    services = SimulatedServices(network: network)
    let draws = Lock(SeededRandom(seed: seed ^ 0x6472_6177))
    environment = Environment(
      loops: loops, resolver: SimulatedResolver(network: network, loop: loop),
      random: RandomSource { draws.withLock { $0.next() } })
    chance = Lock(SeededRandom(seed: seed ^ 0x7573_6572))
  }

  /// Ends all that its hosts are to do, which may hold the world itself.
  func end() {
    services.end()
    let works = work.withLock { work in
      work.isOver = true
      return work.ofHosts
    }
    for work in works { work.end() }
  }

  /// Whether it holds anything of the system.
  package var isOpen: Bool { poller.isOpen }

  // MARK: Hosts

  /// The host of that name, which begins to exist when it is first asked for.
  ///
  /// Names resolve inside the simulation, to an IPv6 and an IPv4 address. The body of a simulation itself runs on the
  /// host `"localhost"`. A name that is empty, has a space in it or reads as an address ends the simulation with
  /// `SimulationError.invalid`.
  public func host(_ name: String) -> SimulatedHost {
    if let problem = SimulatedHost.problem(withName: name) {
      services.fail(SimulationError.invalid(problem))
    }
    let host = victim(name)
    network.withLock { $0.hosts[host.number].isAskedFor = true }
    return host
  }

  /// The same for a fault, which makes no host a part of the scenario.
  func victim(_ name: String) -> SimulatedHost {
    let (number, host) = network.withLock { network in
      let number = network.numbersOfHosts[name] ?? network.addHost(name)
      return (number, network.hosts[number])
    }
    let work = work.withLock { work in
      while work.ofHosts.count <= number {
        work.ofHosts.append(HostWork())
        if work.isOver { work.ofHosts.last?.end() }
      }
      return work.ofHosts[number]
    }
    return SimulatedHost(
      name: name, address: host.address, address6: host.address6, number: number, work: work, world: self)
  }

  /// How many descriptors the host's sockets may have, 1024 unless set. Fewer than 0 end the simulation with
  /// `SimulationError.invalid`.
  public func setDescriptorLimit(_ limit: Int, of host: SimulatedHost) {
    if limit < 0 {
      return services.fail(
        SimulationError.invalid("\(host.name) cannot have \(limit) descriptors: the least is 0"))
    }
    network.withLock { $0.hosts[host.number].descriptorLimit = limit }
  }

  // MARK: The network

  /// How packets travel between two hosts from now on.
  ///
  /// - Throws: `SimulationError.invalid` for conditions that cannot be.
  public func setConditions(
    _ conditions: LinkConditions, between a: SimulatedHost, and b: SimulatedHost
  ) throws(SimulationError) {
    try conditions.validate()
    network.withLock { network in
      network.disturb("between \(a.name) and \(b.name) there is from now on \(conditions)")
      network.setConditions(conditions, between: a.number, and: b.number)
    }
  }

  /// How packets travel between hosts for which nothing else has been set, and which have not talked yet.
  ///
  /// - Throws: `SimulationError.invalid` for conditions that cannot be.
  public func setConditions(_ conditions: LinkConditions) throws(SimulationError) {
    try conditions.validate()
    network.withLock { $0.standardConditions = conditions }
  }

  /// Lets nothing through between two hosts until `heal`. Neither side is told: TCP repeats what it has sent, and gives
  /// up with `ETIMEDOUT` after as long as Linux takes, 127 s for a connection that is not there yet and 924.6 s (or
  /// `TCP_USER_TIMEOUT`) for data.
  public func partition(between a: SimulatedHost, and b: SimulatedHost) {
    partition(between: a, and: b, by: .scenario)
  }

  /// Lets nothing through from one host to the other until `heal`; the other way is as it was. So what the second
  /// sends arrives, and is never acknowledged: it is repeated, and given up in the end, as in a partition.
  public func partition(from source: SimulatedHost, to target: SimulatedHost) {
    partition(from: source, to: target, by: .scenario)
  }

  /// Lets everything through again from one host to the other, unless one of the planned ``faults`` cuts them off.
  public func heal(from source: SimulatedHost, to target: SimulatedHost) {
    heal(from: source, to: target, by: .scenario)
  }

  /// Lets everything through again, unless one of the planned ``faults`` cuts them off; what was held back arrives when
  /// TCP next repeats it.
  public func heal(between a: SimulatedHost, and b: SimulatedHost) {
    heal(between: a, and: b, by: .scenario)
  }

  /// Ends every open connection between two hosts by a reset that both sides see.
  public func resetConnections(between a: SimulatedHost, and b: SimulatedHost) {
    network.withLock { $0.resetConnections(between: a.number, and: b.number) }
  }

  // MARK: Time and chance

  /// How long the simulation has been going on, in its own time.
  public var elapsed: Duration { .nanoseconds(network.withLock { $0.now.nanoseconds }) }

  /// Lets time pass.
  ///
  /// - Throws: `CancellationError`.
  public func sleep(for duration: Duration) async throws {
    try await loop.sleep(for: duration)
  }

  /// Waits until the last of its planned ``faults`` is over, so that what should work in the end can be tried.
  ///
  /// - Throws: `CancellationError`.
  public func untilFaultsEnd() async throws {
    let end = faults.map(\.end).max() ?? .zero
    if elapsed < end { try await sleep(for: end - elapsed) }
  }

  /// Draws from the simulation's seed.
  public func random(in range: ClosedRange<Int>) -> Int {
    chance.withLock { .random(in: range, using: &$0) }
  }

  /// Draws a duration from the simulation's seed, to the nanosecond.
  public func random(in range: ClosedRange<Duration>) -> Duration {
    let zero = EventLoop.Instant(nanoseconds: 0)
    let width = zero.advanced(by: range.upperBound - range.lowerBound).nanoseconds
    return range.lowerBound + .nanoseconds(chance.withLock { Int64.random(in: 0...width, using: &$0) })
  }

  // MARK: The trace

  /// Adds a line to the trace, with the name of the host on which the caller works unless that is `"localhost"`.
  public func note(_ text: String) {
    let host = SimulatedHost.current.flatMap { $0.name == "localhost" ? nil : $0.number }
    network.withLock { $0.trace.add(host.map { .remark(text, host: $0) } ?? .note(text), at: $0.now) }
  }

  /// Tells what was closed before the body has thrown from what was closed for that, if there was anything.
  func noteThrown(_ error: any Error) {
    network.withLock { $0.noteThrown(error, by: "the body") }
  }

  /// One number for everything that has happened until now, equal in every run with the same seed.
  public var fingerprint: UInt64 { network.withLock { $0.trace.fingerprint } }

  /// What has happened, as far as the trace goes back, for a person to read.
  public var timeline: SimulationTimeline { network.withLock { $0.timeline } }

  /// The last things that happened, the oldest first: system calls, packets, turns of the loop and notes, each with its
  /// time in seconds. At most 4,096 are kept.
  public func trace(last count: Int = 4096) -> [String] {
    network.withLock { $0.traceLines(last: max(0, count)) }
  }
}
