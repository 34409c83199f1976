// Cuts of the scenario, and of the faults of its plan.

extension SimulatedWorld {
  func partition(between a: SimulatedHost, and b: SimulatedHost, by cause: Wire.Cause) {
    network.withLock { network in
      network.disturb("\(a.name) and \(b.name) are cut off from each other")
      for route in Route.bothWays(a.number, b.number) { network.cut(route, by: cause) }
    }
  }

  func partition(from source: SimulatedHost, to target: SimulatedHost, by cause: Wire.Cause) {
    network.withLock { network in
      network.disturb("\(target.name) is cut off from \(source.name)")
      network.cut(Route(from: source.number, to: target.number), by: cause)
    }
  }

  func heal(between a: SimulatedHost, and b: SimulatedHost, by cause: Wire.Cause) {
    heal(Route.bothWays(a.number, b.number), "\(a.name) and \(b.name) reach each other again", by: cause)
  }

  func heal(from source: SimulatedHost, to target: SimulatedHost, by cause: Wire.Cause) {
    let route = Route(from: source.number, to: target.number)
    heal([route], "\(source.name) reaches \(target.name) again", by: cause)
  }

  private func heal(_ routes: [Route], _ text: String, by cause: Wire.Cause) {
    network.withLock { network in
      let other = cause == .fault ? "the scenario" : "a fault"
      let isStillCut = routes.contains { route in
        !(network.wires[route]?.cuts.subtracting([cause]).isEmpty ?? true)
      }
      network.disturb(text + (isStillCut ? ", but for what \(other) has cut" : ""))
      for route in routes { network.heal(route, by: cause) }
    }
  }
}
