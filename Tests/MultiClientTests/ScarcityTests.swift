import MultiClient
import TCPServer
import TestHarness
import Testing

@Suite("A system that is short of descriptors or ports", .timeLimit(.minutes(2)))
struct ScarcityTests {
  /// Runs a client to a server on a loop with such a kernel.
  private func run(
    _ kernel: ScarceKernel, clock: any LoopClock = MonotonicClock.shared, targets: Int,
    _ change: (inout MultiClientConfiguration) -> Void = { _ in },
    body: (MultiClient<Asker>, _ ended: Counter) async throws -> Void = { _, _ in }
  ) async throws -> (outcomes: [MultiClient<Asker>.Outcome], notices: [ClientNotice]) {
    let notices = Log<ClientNotice>()
    var configuration = MultiClientConfiguration()
    configuration.limits.timeouts = Timeouts(connect: nil)
    configuration.onNotice = { notices.add($0) }
    change(&configuration)
    return try await withServer(echo) { server in
      try await withLoop(on: kernel, clock: clock) { _ in
        let client = try MultiClient<Asker>(framing: .lines, configuration: configuration)
        let ended = Counter()
        async let outcomes = {
          var outcomes: [MultiClient<Asker>.Outcome] = []
          for await outcome in client.run(
            Array(repeating: server.address, count: targets), { _ in Asker(question: "?") })
          {
            outcomes.append(outcome)
            ended.add()
          }
          return outcomes
        }()
        try await body(client, ended)
        return (await outcomes, notices.values)
      }
    }
  }

  @Test("targets wait for descriptors, and none fails for them")
  func descriptors() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server") { connection in
        for try await line in connection.inbound {
          try await world.sleep(for: .milliseconds(5))
          try await connection.send(line)
        }
      }
      world.setDescriptorLimit(5, of: world.host("localhost"))
      let notices = Log<ClientNotice>()
      var configuration = MultiClientConfiguration()
      configuration.onNotice = { notices.add($0) }
      let client = try MultiClient<Asker>(framing: .lines, configuration: configuration)
      let outcomes = await client.run(Array(repeating: address, count: 50)) { _ in Asker(question: "?") }
        .all()
      #expect(outcomes.count == 50)
      #expect(outcomes.allSatisfy { $0.result == .finished(.closed) })
      let short = ClientNotice.paused(.failed(Errno(rawValue: 24), call: "socket", address: address))
      #expect(notices.values.prefix(2) == [short, .resumed])
      #expect(world.elapsed < .seconds(2))
    }
  }

  @Test("while the process has no descriptor at all, everybody waits, and goes on when it has")
  func noDescriptors() async throws {
    let clock = ManualClock()
    let kernel = ScarceKernel(.init(socketFailures: 3))
    let (outcomes, notices) = try await run(kernel, clock: clock, targets: 4) { _ in
    } body: { _, ended in
      try await eventually("all have ended") {
        clock.advance(by: .milliseconds(100))
        return ended.value == 4
      }
    }
    #expect(outcomes.allSatisfy { $0.result == .finished(.closed) || $0.result == .finished(.closedByPeer) })
    #expect(outcomes.count == 4)
    #expect(notices.count == 2 && notices.last == .resumed)
  }

  @Test("the window is no wider than the process may have descriptors, and that is told")
  func window() async throws {
    let (outcomes, notices) = try await run(ScarceKernel(.init(descriptorLimit: 300)), targets: 10) {
      $0.limits.open = 1000
    } body: { client, _ in
      #expect(client.limits.open == 1000)
    }
    #expect(outcomes.count == 10)
    #expect(notices == [.windowReduced(to: 172, descriptorLimit: 300)])
  }

  @Test("connections to 127/8 come from several addresses of it when the ports of one do not suffice")
  func rotation() async throws {
    let (outcomes, notices) = try await run(ScarceKernel(.init(ports: 1...10)), targets: 20) {
      $0.limits.open = 20
    }
    #expect(outcomes.allSatisfy { $0.result == .finished(.closed) })
    #expect(Set(outcomes.compactMap(\.handler.localHost)) == ["127.0.0.1", "127.0.0.2", "127.0.0.3"])
    #expect(notices.isEmpty)
  }

  @Test("without that, few ports are known ahead and told, and targets wait for them")
  func ports() async throws {
    let kernel = ScarceKernel(.init(ports: 1...10))
    let (outcomes, notices) = try await run(kernel, targets: 30) {
      $0.limits.open = 20
      $0.rotatesLoopback = false
    } body: { _, _ in
      try await eventually("one has connected") { kernel.connects > 0 }
      kernel.change { $0.connectFailures = 3 }
    }
    #expect(outcomes.count == 30)
    #expect(outcomes.allSatisfy { $0.result == .finished(.closed) })
    guard case .fewPorts(_, 10, 20)? = notices.first else {
      Issue.record("\(notices)")
      return
    }
  }

  @Test(
    "sources that are named take turns, and one that is no address of this machine fails its targets in words"
  )
  func sources() async throws {
    let (outcomes, _) = try await run(ScarceKernel(), targets: 10) {
      $0.sources = ["127.0.0.5", "127.0.0.6"].compactMap { try? SocketAddress(host: $0, port: 0) }
    }
    #expect(Set(outcomes.compactMap(\.handler.localHost)) == ["127.0.0.5", "127.0.0.6"])
    let (failed, _) = try await run(ScarceKernel(), targets: 2) {
      $0.sources = ["192.0.2.1"].compactMap { try? SocketAddress(host: $0, port: 0) }
    }
    #expect(failed.count == 2)
    #expect(failed.allSatisfy { "\($0.result)".contains("bind 192.0.2.1:0: EADDRNOTAVAIL") })
  }

  @Test("who has no address that leads anywhere fails, after as long as a connection may take")
  func noWay() async throws {
    let clock = ManualClock()
    let kernel = ScarceKernel(.init(connectFailures: .max))
    let (outcomes, _) = try await run(kernel, clock: clock, targets: 2) {
      $0.limits.timeouts = Timeouts(connect: .seconds(2))
      $0.rotatesLoopback = false
    } body: { _, ended in
      try await eventually("they have failed") {
        clock.advance(by: .milliseconds(500))
        return ended.value == 2
      }
    }
    #expect(outcomes.count == 2)
    #expect(outcomes.allSatisfy { "\($0.result)".contains("EADDRNOTAVAIL") })
  }

  @Test(
    "a destination for which there is no port keeps no other waiting, and fails with that error in the end")
  func oneDestination() async throws {
    let clock = ManualClock()
    let notices = Log<ClientNotice>()
    try await withServer(echo) { server in
      let unreachable: UInt16 = 1
      let kernel = ScarceKernel(.init(unreachable: [unreachable]))
      try await withLoop(on: kernel, clock: clock) { _ in
        var configuration = MultiClientConfiguration()
        configuration.rotatesLoopback = false
        configuration.limits.timeouts = Timeouts(connect: .seconds(3))
        configuration.onNotice = { notices.add($0) }
        let client = try MultiClient<Asker>(framing: .lines, configuration: configuration)
        // Of another host, whose pause is its own.
        let bad = try SocketAddress(host: "127.0.0.9", port: unreachable)
        let targets = (0..<40).map { $0 % 2 == 0 ? bad : server.address }
        var results: [TargetResult] = []
        for await outcome in client.run(targets, { _ in Asker(question: "?") }) {
          results.append(outcome.result)
          // The clock has not moved until all the others have had their replies.
          if results.count == 20 {
            #expect(results.allSatisfy { $0 == .finished(.closed) || $0 == .finished(.closedByPeer) })
            for _ in 0..<30 {
              let connects = kernel.connects
              clock.advance(by: .milliseconds(100))
              try await eventually("it has tried again") { kernel.connects > connects }
            }
          }
        }
        let failure = SocketError.failed(Errno(rawValue: 99), call: "connect", address: bad)
        #expect(results.count == 40 && results[20...].allSatisfy { $0 == .failed(failure) })
        // One tried at a time: thirty times in all, and then each once.
        #expect(kernel.connects < 20 + 60)
      }
    }
    #expect(notices.values.count == 1)
  }

  @Test("the range of ports is read as the system writes it")
  func range() {
    #expect(LinuxKernel.shared.ephemeralPorts.map { $0.count > 1000 } ?? true)
  }
}
