import AsyncSockets
import TCPServer
import TestHarness

@testable import keyvalue

/// Three replicas and three clients in a simulation, and what may happen to them.
struct Cluster: Sendable {
  /// Mistakes to be found.
  enum Flaw {
    /// Who reads does not write back what it has read.
    case readsOnly
    /// A disk that has every second line only, when its host crashes.
    case losesLines
  }

  static let faults: FaultMix = {
    let moment = Duration.milliseconds(100) ... .seconds(4)
    let far = LinkConditions(latency: .seconds(1), jitter: .milliseconds(500))
    var faults: [PossibleFault] = []
    for replica in replicas {
      faults += [
        .crash(replica, for: moment), .kill(replica, for: moment), .reset("bob", replica),
        .cut("alice", replica, for: moment), .cut("carol", replica, for: moment),
        .cut(from: "alice", to: replica, for: moment), .cut(from: replica, to: "bob", for: moment),
        .slow("alice", replica, far, for: moment), .slow("bob", replica, far, for: moment),
      ]
    }
    return FaultMix(faults, upTo: 20, within: .seconds(15))
  }()

  let world: SimulatedWorld
  let flaw: Flaw?
  private let history: History<Request, String>

  private static let replicas = ["a", "b", "c"]
  private static let clients = ["alice", "bob", "carol"]

  private enum Request: Sendable {
    case get
    case put(String)
  }

  /// Runs all of it, and judges what has happened.
  static func run(in world: SimulatedWorld, flaw: Flaw? = nil) async throws {
    let cluster = Cluster(world: world, flaw: flaw, history: History(in: world))
    try await cluster.run()
    try cluster.history.check(
      .oneOutcome, .nothingAfterUnknown,
      .linearizable(from: "") { value, request in
        if case .put(let new) = request { value = new }
        return value
      })
  }

  private func run() async throws {
    for name in Self.replicas {
      let disk = SimulatedDisk(linesAtOnce: flaw == .losesLines ? 2 : 1)
      world.host(name).start {
        try await Replica(on: disk).run(try await TCPServer.bind(on: .any(port: 7)))
      }
    }
    // Each client is near one replica, and far from the others.
    let far = LinkConditions(latency: .milliseconds(50), jitter: .milliseconds(50))
    for (client, near) in zip(Self.clients, Self.replicas) {
      for replica in Self.replicas where replica != near {
        try world.setConditions(far, between: world.host(client), and: world.host(replica))
      }
    }
    try await withThrowingTaskGroup { group in
      for name in Self.clients {
        group.addTask { try await world.host(name).run { try await work(as: name) } }
      }
      try await group.waitForAll()
    }
    // Whatever happened, all of it works in the end.
    try await world.untilFaultsEnd()
    try await world.host("reader").run {
      let client = client("reader")
      async let _ = client.run()
      try await ask(client, .get, within: .seconds(600))
    }
  }

  private func client(_ name: String) -> StoreClient {
    StoreClient(name, replicas: Self.replicas.map { ($0, 7) })
  }

  private func work(as name: String) async throws {
    let client = client(name)
    async let _ = client.run()
    for number in 1...10 {
      try await world.sleep(for: world.random(in: .zero ... .milliseconds(300)))
      let request =
        world.random(in: 0...1) == 0 ? Request.get : .put("\(name.prefix(1))\(number)")
      do {
        try await ask(client, request, within: world.random(in: .seconds(1) ... .seconds(10)))
      } catch is SocketError {}
    }
  }

  /// Who has been patient for so long gives up, and does not know what has become of it.
  private func ask(_ client: StoreClient, _ request: Request, within time: Duration) async throws {
    _ = try await history.request(request) { _ in
      try await withDeadline(.after(time), on: world.loop) {
        switch request {
        case .put(let value):
          try await client.put(value, for: "x")
          return value
        case .get where flaw == .readsOnly: return try await client.newest(of: "x").value
        case .get: return try await client.get("x")
        }
      }
    }
  }
}
