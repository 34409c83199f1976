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
  private var conditions: [Victim: LinkConditions] = [:]
  private var limits: [Victim: Int] = [:]

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
      try isEnd ? end(fault.effect) : begin(fault.effect)
    }
  }

  private mutating func begin(_ effect: PlannedFault.Effect) throws {
    let isFirst = victims(of: effect).map { victim in
      counts[victim, default: 0] += 1
      return counts[victim] == 1
    }
    switch effect {
    case .crash(let host): world.victim(host).crash()
    case .kill(let host): world.victim(host).kill()
    case .cut(let a, let b) where isFirst == [true, true]:
      world.partition(between: world.victim(a), and: world.victim(b))
    case .cut(let a, let b):
      if isFirst[0] { world.partition(from: world.victim(a), to: world.victim(b)) }
      if isFirst[1] { world.partition(from: world.victim(b), to: world.victim(a)) }
    case .block(let source, let target):
      if isFirst[0] { world.partition(from: world.victim(source), to: world.victim(target)) }
    case .reset(let a, let b): world.resetConnections(between: world.victim(a), and: world.victim(b))
    case .slow(let a, let b, let slow):
      let (a, b) = (world.victim(a), world.victim(b))
      if isFirst[0] { conditions[victims(of: effect)[0]] = world.conditions(from: a, to: b) }
      try world.setConditions(slow, between: a, and: b)
    case .unresolved(let name): world.setResolution(of: name, to: .temporaryFailure)
    case .descriptors(let name, let limit):
      let host = world.victim(name)
      if isFirst[0] { limits[.descriptors(name)] = world.descriptorLimit(of: host) }
      world.setDescriptorLimit(limit, of: host)
    case .clock(let host, let step): world.victim(host).moveClock(by: step)
    }
  }

  private mutating func end(_ effect: PlannedFault.Effect) throws {
    let isLast = victims(of: effect).map { victim in
      counts[victim, default: 1] -= 1
      return counts[victim] == 0
    }
    switch effect {
    case .crash(let name), .kill(let name):
      let host = world.victim(name)
      if isLast[0], !host.isRunning { host.restart() }
    case .cut(let a, let b) where isLast == [true, true]:
      world.heal(between: world.victim(a), and: world.victim(b))
    case .cut(let a, let b):
      if isLast[0] { world.heal(from: world.victim(a), to: world.victim(b)) }
      if isLast[1] { world.heal(from: world.victim(b), to: world.victim(a)) }
    case .block(let source, let target):
      if isLast[0] { world.heal(from: world.victim(source), to: world.victim(target)) }
    case .slow(let a, let b, _):
      if isLast[0], let usual = conditions[victims(of: effect)[0]] {
        try world.setConditions(usual, between: world.victim(a), and: world.victim(b))
      }
    case .unresolved(let name):
      if isLast[0] { world.setResolution(of: name, to: .host) }
    case .descriptors(let name, _):
      if isLast[0], let usual = limits[.descriptors(name)] {
        world.setDescriptorLimit(usual, of: world.victim(name))
      }
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
