import Framing
import Glibc
import Peers
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("How many connections", .timeLimit(.minutes(4)))
struct LimitTests {
  @Test("with a limit of one, three clients are served in turn")
  func oneAtATime() async throws {
    let log = EventLog()
    let order = Shared<[String]>([])
    try await withAuditedLoops(count: 2) { _ in
      let configuration = log.configuration { $0.limits.connections = 1 }
      try await withServer(framing: LineFraming(), configuration: configuration) { connection in
        for try await line in connection.inbound {
          order.change { $0.append(line) }
          try await connection.send(line)
        }
        order.change { $0.append("end") }
      } body: { server in
        let peers = try await server.connect(count: 3)
        for (number, peer) in peers.enumerated() { try peer.send("client \(number)\n") }
        for (number, peer) in peers.enumerated() {
          try await onThread { try peer.expectLine("client \(number)") }
          #expect(log.accepted.count == number + 1)
          peer.close()
        }
        try await log.untilClosed(3)
      }
    }
    #expect(order.value == ["client 0", "end", "client 1", "end", "client 2", "end"])
  }

  @Test("a limit of ten is never exceeded by 100 clients, whose handlers end in every way (P15)")
  func exactLimit() async throws {
    struct Trouble: Error {}
    let log = EventLog()
    let now = Shared(0)
    let most = Shared(0)
    let door = Door()
    try await withAuditedLoops(count: 2) { _ in
      let configuration = log.configuration { $0.limits.connections = 10 }
      try await withServer(framing: LineFraming(), configuration: configuration) { connection in
        let count = now.increase()
        most.change { $0 = max($0, count) }
        defer { now.decrease() }
        try await door.pass(on: connection.connection.loop)
        for try await line in connection.inbound {
          try await connection.send(line)
          switch line {
          case "throw": throw Trouble()
          case "cancel": throw CancellationError()
          case "abort": return connection.abort()
          case "return": return
          default: break
          }
        }
      } body: { server in
        let peers = try await server.connect(count: 100)
        try await eventually("ten are served") { now.value == 10 }
        door.open()
        try await onThread {
          let lines = ["throw", "cancel", "abort", "return", "stay"]
          for (number, peer) in peers.enumerated() { try peer.send(lines[number % lines.count] + "\n") }
          for peer in peers {
            // What was queued when a handler aborts is dropped.
            _ = try? peer.receiveLine()
            peer.close()
          }
        }
        try await log.untilClosed(100)
        try await eventually("nobody is counted") { server.connectionCount == 0 }
        figure("P15", "of 100 clients at once, with a limit of 10, at most", most.value)
      }
    }
    #expect(most.value == 10)
    #expect(log.accepted.count == 100)
  }

  @Test("a limit of zero serves nobody, and a drain does not wait for it")
  func zero() async throws {
    let log = EventLog()
    try await withAuditedLoops(clock: ManualClock()) { _ in
      let configuration = log.configuration { $0.limits.connections = 0 }
      try await withServer(framing: LineFraming(), configuration: configuration, handler: echo) { server in
        let peer = try await server.connect()
        try peer.send("hello\n")
        server.beginDrain()
        try await onThread { try peer.expectNothing() }
        peer.close()
      }
    }
    #expect(log.accepted == [])
  }

  @Test("a server at its limit that stops accepting serves who waits already, and then returns")
  func stopAtTheLimit() async throws {
    let log = EventLog()
    try await withAuditedLoops(clock: ManualClock()) { _ in
      let configuration = log.configuration { $0.limits.connections = 1 }
      try await withServer(
        on: .ownLoopback(), framing: LineFraming(), configuration: configuration, handler: echo
      ) { server in
        let first = try await server.connect()
        #expect(try await first.ask("first") == "first")
        let waiting = try await server.connect()
        try waiting.send("waiting\n")
        server.stopAccepting()
        #expect(try await first.ask("still") == "still")
        first.close()
        try await onThread { try waiting.expectLine("waiting") }
        waiting.close()
        try await untilRefused(server.address)
      }
    }
    #expect(log.reasons.filter { $0 == .closedByPeer }.count >= 2)
  }

  @Test("the default limit leaves 128 descriptors to others, or half of them where there are few")
  func defaultLimit() async {
    await #expect(processExitsWith: .success) {
      for (descriptors, connections) in [(1000, 872), (256, 128), (200, 100), (64, 32)] {
        var limit = rlimit()
        _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = rlim_t(descriptors)
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        #expect(TCPServer.Limits().connections == connections, "of \(descriptors)")
        #expect(TCPServer.Configuration().limits.connections == connections, "of \(descriptors)")
      }
    }
  }
}
