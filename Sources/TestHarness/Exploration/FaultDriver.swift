import AsyncSockets

/// Lets the faults of a plan happen in a simulation, each at its time.
struct FaultDriver {
  /// What a fault keeps from working until it is over. It works again when the last fault of those is.
  private enum Victim: Hashable {
    case host(String)
    case route(from: String, to: String)
    case link(String, String)
    case name(String)
    case descriptors(String)
  }

  private let world: SimulatedWorld
  private var counts: [Victim: Int] = [:]

  init(_ world: SimulatedWorld) { self.world = world }

  mutating func run(_ plan: [PlannedFault]) async throws {
    var steps: [(time: Duration, fault: PlannedFault, isEnd: Bool)] = []
    for fault in plan {
      steps.append((fault.begin, fault, false))
      if fault.effect.takesTime { steps.append((fault.end, fault, true)) }
    }
    // Stable: what is planned first happens first.
    for step in steps.enumerated().sorted(by: { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) })
    {
      let (time, fault, isEnd) = step.element
      try await world.loop.sleep(until: EventLoop.Instant(nanoseconds: 0).advanced(by: time))
      isEnd ? end(fault.effect) : begin(fault.effect)
    }
  }

  private mutating func begin(_ effect: PlannedFault.Effect) {
    let isFirst = victims(of: effect).map { victim in
      counts[victim, default: 0] += 1
      return counts[victim] == 1
    }
    switch effect {
    case .crash(let host): world.victim(host).crashForFault()
    case .kill(let host): world.victim(host).killForFault()
    case .cut(let a, let b) where isFirst == [true, true]:
      world.partition(between: world.victim(a), and: world.victim(b), by: .fault)
    case .cut(let a, let b):
      if isFirst[0] { world.partition(from: world.victim(a), to: world.victim(b), by: .fault) }
      if isFirst[1] { world.partition(from: world.victim(b), to: world.victim(a), by: .fault) }
    case .block(let source, let target):
      if isFirst[0] { world.partition(from: world.victim(source), to: world.victim(target), by: .fault) }
    case .reset(let a, let b): world.resetConnections(between: world.victim(a), and: world.victim(b))
    case .slow(let a, let b, let slow): setSpeed(slow, between: a, and: b)
    case .unresolved(let name):
      world.network.withLock { network in
        network.disturb("the name \(name) cannot be resolved")
        network.unresolvedNames.insert(name)
      }
    case .descriptors(let name, let limit): setScarcity(limit, of: name)
    case .clock(let host, let step): world.victim(host).moveClock(by: step)
    }
  }

  private func setSpeed(_ conditions: LinkConditions?, between a: String, and b: String) {
    let (first, second) = (world.victim(a).number, world.victim(b).number)
    world.network.withLock { network in
      network.slow(conditions, between: first, and: second)
      let present = network.wire(Route(from: first, to: second)).conditions
      network.disturb("between \(a) and \(b) there is from now on \(present)")
    }
  }

  private func setScarcity(_ limit: Int?, of name: String) {
    let number = world.victim(name).number
    world.network.withLock { $0.hosts[number].scarcity = limit }
  }

  private mutating func end(_ effect: PlannedFault.Effect) {
    let isLast = victims(of: effect).map { victim in
      counts[victim, default: 1] -= 1
      return counts[victim] == 0
    }
    switch effect {
    case .crash(let name), .kill(let name):
      if isLast[0] { world.victim(name).restartAfterFault() }
    case .cut(let a, let b) where isLast == [true, true]:
      world.heal(between: world.victim(a), and: world.victim(b), by: .fault)
    case .cut(let a, let b):
      if isLast[0] { world.heal(from: world.victim(a), to: world.victim(b), by: .fault) }
      if isLast[1] { world.heal(from: world.victim(b), to: world.victim(a), by: .fault) }
    case .block(let source, let target):
      if isLast[0] { world.heal(from: world.victim(source), to: world.victim(target), by: .fault) }
    case .slow(let a, let b, _):
      if isLast[0] { setSpeed(nil, between: a, and: b) }
    case .unresolved(let name):
      if isLast[0] {
        world.network.withLock { network in
          network.disturb("the name \(name) can be resolved again")
          network.unresolvedNames.remove(name)
        }
      }
    case .descriptors(let name, _):
      if isLast[0] { setScarcity(nil, of: name) }
    case .reset, .clock: break
    }
  }

  private func victims(of effect: PlannedFault.Effect) -> [Victim] {
    switch effect {
    case .crash(let host), .kill(let host): [.host(host)]
    case .cut(let a, let b): [.route(from: a, to: b), .route(from: b, to: a)]
    case .block(let source, let target): [.route(from: source, to: target)]
    case .slow(let a, let b, _): [.link(min(a, b), max(a, b))]
    case .unresolved(let name): [.name(name)]
    case .descriptors(let host, _): [.descriptors(host)]
    case .reset, .clock: []
    }
  }
}
