import TCPClient
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("A client that is retargeted")
struct RetargetTests {
  /// Runs a client of `old` whose body says to whom it talks, and retargets it to `new` after `delay`, counted from the
  /// beginning. Answers whom it has talked to, and when it talked to the last.
  private func retarget(
    after delay: Duration, log: ClientLog, _ configuration: TCPClient.Configuration,
    prepare: @escaping @Sendable (SimulatedWorld) async throws -> Void = { _ in }
  ) async throws -> (names: [String], time: Duration) {
    try await withSimulation(seed: 1) { world in
      for name in ["old", "new"] {
        try await world.host(name).serveLines { connection in
          try await connection.send(name)
          while try await connection.next() != nil {}
        }
      }
      try await prepare(world)
      let client = TCPClient(to: "old", port: 7, configuration: configuration)
      let names = Shared<[String]>([])
      let time = Shared(Duration.zero)
      await withTaskGroup(of: Void.self) { group in
        group.addTask {
          try? await client.run(framing: .lines) { connection in
            names.change { $0.append("?") }
            let name = try await connection.next() ?? "nobody"
            names.change { $0[$0.count - 1] = name }
            time.set(world.elapsed)
            try await connection.send("hello")
            while try await connection.next() != nil {}
          }
        }
        group.addTask {
          try? await world.sleep(for: delay)
          try? client.retarget(to: "new", port: 7)
        }
        try? await world.sleep(for: .seconds(20))
        group.cancelAll()
      }
      return (names.value, time.value)
    }
  }

  @Test("while it is connected ends that connection for this reason, and connects at once")
  func connected() async throws {
    let log = ClientLog()
    let (names, time) = try await retarget(after: .seconds(5), log: log, log.configuration())
    #expect(names == ["old", "new"])
    #expect(time - .seconds(5) < .milliseconds(100))
    #expect(log.reasons.first == .retargeted)
    #expect(!log.lines.contains { $0.hasPrefix("body failed") })
    #expect(log.disorder == nil)
  }

  @Test("while it connects gives up that attempt for this reason, and connects at once")
  func connecting() async throws {
    let log = ClientLog()
    let (names, time) = try await retarget(after: .seconds(5), log: log, log.configuration()) { world in
      world.partition(between: world.host("localhost"), and: world.host("old"))
    }
    #expect(names == ["new"])
    #expect(time - .seconds(5) < .milliseconds(100))
    #expect(log.lines.prefix(3) == ["connecting 1", "retargeted", "failed 1: retargeted"])
    #expect(log.disorder == nil)
  }

  @Test("while it prepares gives up that attempt for this reason, and connects at once")
  func preparing() async throws {
    let log = ClientLog()
    let configuration = log.configuration { configuration in
      configuration.preparing = { connection in
        if connection.peerAddress?.host.hasSuffix("2") == true {
          try await connection.loop.sleep(for: .seconds(9))
        }
      }
    }
    let (names, _) = try await retarget(after: .seconds(5), log: log, configuration)
    #expect(names == ["new"])
    #expect(log.lines.prefix(3) == ["connecting 1", "retargeted", "failed 1: retargeted"])
    #expect(log.disorder == nil)
  }

  @Test("while it pauses connects at once")
  func pausing() async throws {
    let log = ClientLog()
    let configuration = log.configuration(.fixed(.seconds(1000))) {
      $0.preparing = { _ in throw SocketError.closed }
    }
    let (_, _) = try await retarget(after: .seconds(5), log: log, configuration)
    #expect(
      log.lines.prefix(5) == [
        "connecting 1", "failed 1: refused: closed by this side", "backing off", "retargeted", "connecting 2",
      ])
    #expect(log.disorder == nil)
  }

  @Test("goes on when its body makes an error of its own of being cut short")
  func wrappedError() async throws {
    struct Mine: Error { let cause: any Error }
    let log = ClientLog()
    let peers = Shared<[String]>([])
    try await withSimulation(seed: 3) { world in
      for name in ["old", "new"] {
        try await world.host(name).serveLines { connection in
          try await connection.send(name)
          while try await connection.next() != nil {}
        }
      }
      let client = TCPClient(to: "old", port: 7, configuration: log.configuration())
      let _: Bool = try await client.run(framing: .lines) { connection in
        do {
          while let line = try await connection.next() {
            peers.change { $0.append(line) }
            if line == "new" { return .finish(true) }
            world.host("other").start { try client.retarget(to: "new", port: 7) }
          }
          return .reconnect
        } catch {
          throw Mine(cause: error)
        }
      }
    }
    #expect(peers.value == ["old", "new"])
    #expect(log.reasons == [.retargeted, .closed])
    #expect(log.disorder == nil)
  }

  @Test("goes on when its body retargets it and then throws", arguments: [0, 1, 2])
  func throwsAfterwards(yields: Int) async throws {
    let log = ClientLog()
    let value = try await withSimulation(seed: 4) { world in
      try await world.host("old").serveEcho()
      try await world.host("new").serveEcho()
      let client = TCPClient(to: "old", port: 7, configuration: log.configuration())
      let isMoved = Shared(false)
      let value: String = try await client.run(framing: .lines) { connection in
        let reply = try await connection.request("hello")
        if isMoved.value { return .finish(reply) }
        isMoved.set(true)
        try client.retarget(to: "new", port: 7)
        for _ in 0..<yields { await Task.yield() }
        throw Oops()
      }
      return value
    }
    #expect(value == "hello")
    #expect(log.reasons == [.retargeted, .closed])
    #expect(log.disorder == nil)
  }

  @Test("at any moment of its life has one outcome for each attempt, and ends up with the new server")
  func always() async throws {
    for milliseconds in stride(from: 0, through: 12, by: 1) {
      let log = ClientLog()
      let (names, _) = try await retarget(
        after: .microseconds(milliseconds * 300), log: log, log.configuration())
      #expect(names.last == "new")
      #expect(log.disorder == nil)
    }
  }

  @Test("to what cannot work says so, and stays with the server that it has")
  func invalid() async throws {
    let client = TCPClient(to: "server", port: 7)
    #expect(throws: SocketError.self) { try client.retarget(to: []) }
    #expect(throws: SocketError.self) { try client.retarget(to: "", port: 7) }
    #expect(throws: SocketError.self) { try client.retarget(to: .loopback(port: 0)) }
    #expect(client.targets == [.host("server", port: 7)])
    try client.retarget(to: .loopback(port: 8))
    #expect(client.targets == [.address(.loopback(port: 8))])
  }

  @Test("sends what its body had sent before to the old server")
  func flushes() async throws {
    let received = Shared(0)
    try await withSimulation(seed: 2) { world in
      let old = world.host("old")
      let server = try await old.run { try await TCPServer.bind(on: .any(port: 7)) }
      old.start {
        try await server.run { connection in
          for try await chunk in connection.inbound { received.change { $0 += chunk.count } }
        }
      }
      try await world.host("new").serveLines { _ in }
      let client = TCPClient(to: "old", port: 7)
      _ = try await client.run { connection -> TCPClient.Next<Bool> in
        if connection.peerAddress?.host != old.address.host
          && connection.peerAddress?.host != old.address6.host
        {
          return .finish(true)
        }
        try await connection.send([UInt8](repeating: 1, count: 60_000))
        try client.retarget(to: "new", port: 7)
        _ = try await connection.read()
        return .reconnect
      }
      try await world.sleep(for: .seconds(1))
    }
    #expect(received.value == 60_000)
  }
}
