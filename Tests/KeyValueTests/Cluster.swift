import AsyncSockets
import TCPServer
import TestHarness

@testable import keyvalue

/// Three replicas, three clients and an operator in a simulation, among whom hosts are cut off and come back.
struct Cluster: Sendable {
  let world: SimulatedWorld
  let history: History<Command, String>
  private static let replicas = ["a", "b", "c"]
  private static let keys = ["x", "y"]

  /// Runs all of it, and judges what has happened.
  static func run(in world: SimulatedWorld, flaw: Replica.Flaw? = nil) async throws {
    let cluster = Cluster(world: world, history: History(in: world))
    try await cluster.run(flaw)
    try cluster.history.check(
      .oneOutcome, .nothingAfterUnknown, .executedAtMostOncePerHost, .acknowledgedMeansExecuted,
      .linearizable(from: "", per: \.key) { value, command in
        switch command.action {
        case .get: break
        case .put: value = command.value
        case .append: value += command.value
        }
        return value
      })
  }

  private func run(_ flaw: Replica.Flaw?) async throws {
    for name in Self.replicas {
      let host = world.host(name)
      let server = try await host.run { try await TCPServer.bind(on: .any(port: 7)) }
      host.start { [history] in
        let replica = try Replica(others: others(of: name), flaw: flaw) { command, reply in
          history.executed("\(command.client)-\(command.number)", reply: reply)
        }
        try await replica.run(server)
      }
    }
    try await withThrowingTaskGroup { group in
      for name in ["alice", "bob", "carol"] {
        group.addTask { try await world.host(name).run { try await work(as: name, requests: 6) } }
      }
      group.addTask { try await world.host("operator").run { try await operate() } }
      try await group.waitForAll()
    }
    try await world.host("reader").run { try await work(as: "reader", requests: 2) }
  }

  private func others(of name: String) -> [String] {
    Self.replicas.filter { $0 != name }.map { "\($0):7" }
  }

  // MARK: Clients

  private func work(as name: String, requests: Int) async throws {
    var client = try StoreClient(name, replicas: Self.replicas.map { "\($0):7" })
    for number in 1...requests {
      let key = Self.keys[number % 2]
      let request = name == "reader" ? "GET \(key)" : draw(key, "\(name.prefix(1))\(number)")
      let id = "\(name)-\(number)"
      guard let command = Command("\(name) \(number) \(request)") else { continue }
      do {
        _ = try await history.request(command, id: id) { _ in
          // Who has been patient for so long gives up, and does not know.
          try await withDeadline(.after(name == "reader" ? .seconds(600) : .seconds(20)), on: world.loop) {
            try await client.ask(request)
          }
        }
      } catch is SocketError {}
      try await world.sleep(for: world.random(in: .zero ... .seconds(2)))
    }
  }

  private func draw(_ key: String, _ value: String) -> String {
    switch world.random(in: 0...3) {
    case 0: "GET \(key)"
    case 1: "PUT \(key) \(value)"
    default: "APPEND \(key) \(value)"
    }
  }

  // MARK: The operator, and what happens to it

  private func operate() async throws {
    var epoch = 0
    // Those of whom each has all that was ever acknowledged.
    var candidates = Self.replicas
    var lost: String?

    func promote(_ name: String) async throws -> Bool {
      let backups = Self.replicas.filter { $0 != name && $0 != lost }
      epoch += 1
      let answer = try await self.promote(name, epoch, backups)
      if answer == "OK" { candidates = [name] + backups }
      if answer.hasPrefix("NOT YET") { candidates = candidates.filter { $0 == name || backups.contains($0) } }
      return answer == "OK"
    }

    _ = try await promote("a")
    for _ in 0..<8 {
      try await world.sleep(for: world.random(in: .zero ... .seconds(4)))
      let name = Self.replicas[world.random(in: 0...2)]
      switch world.random(in: 0...3) {
      case 0 where lost == nil:
        setReachable(name, false)
        lost = name
      case 1:
        if let name = lost { setReachable(name, true) }
        lost = nil
      case 2:
        for other in Self.replicas + ["alice", "bob"] where other != name {
          world.resetConnections(between: world.host(name), and: world.host(other))
        }
      default:
        // Who is lost is replaced, by one that goes on with those whom it can reach.
        if name != lost, candidates.contains(name) { _ = try await promote(name) }
      }
    }
    if let name = lost { setReachable(name, true) }
    lost = nil
    while true {
      for name in candidates where try await promote(name) { return }
      try await world.sleep(for: .seconds(1))
    }
  }

  private func promote(_ name: String, _ epoch: Int, _ backups: [String]) async throws -> String {
    while true {
      do {
        let answer = try await StoreClient.promote(
          "\(name):7", epoch: epoch, backups: backups.map { "\($0):7" })
        world.note("promote \(name) to epoch \(epoch), with \(backups): \(answer)")
        return answer
      } catch is SocketError {
        // It may have happened, so nobody else can be it.
        try await world.sleep(for: .seconds(1))
      }
    }
  }

  private func setReachable(_ name: String, _ isReachable: Bool) {
    for other in Self.replicas + ["alice"] where other != name {
      if isReachable {
        world.heal(between: world.host(name), and: world.host(other))
      } else {
        world.partition(between: world.host(name), and: world.host(other))
      }
    }
  }
}
