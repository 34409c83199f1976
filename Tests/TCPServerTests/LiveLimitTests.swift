import Framing
import Peers
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("Limits that change while the server runs", .timeLimit(.minutes(4)))
struct LiveLimitTests {
  @Test(
    "scenario G9: a limit of zero listens and serves nobody; raised to one, or taken away, it serves who waits",
    arguments: [1, nil])
  func fromZero(to limit: Int?) async throws {
    let log = EventLog()
    try await withAuditedLoops(clock: ManualClock()) { _ in
      let configuration = log.configuration { $0.limits.connections = 0 }
      try await withServer(framing: LineFraming(), configuration: configuration, handler: echo) { server in
        let peers = try await server.connect(count: 3)
        for peer in peers { try peer.send("hello\n") }
        try await eventually("the limit is told") { log.limits == [.connections] }
        #expect(server.connectionCount == 0)
        server.limits.connections = limit
        for peer in peers {
          try await onThread { try peer.expectLine("hello") }
          peer.close()
        }
        try await log.untilClosed(3)
      }
    }
    #expect(log.accepted.count == 3)
    #expect(log.limits.allSatisfy { $0 == .connections })
  }

  @Test("scenario G10: a limit of one that is taken away serves all who wait, at once")
  func fromOneToNone() async throws {
    let log = EventLog()
    try await withAuditedLoops(clock: ManualClock()) { _ in
      let configuration = log.configuration { $0.limits.connections = 1 }
      try await withServer(framing: LineFraming(), configuration: configuration, handler: echo) { server in
        let peers = try await server.connect(count: 20)
        #expect(try await peers[0].ask("first") == "first")
        #expect(log.accepted.count == 1)
        server.limits.connections = nil
        for peer in peers { #expect(try await peer.ask("hello") == "hello") }
        #expect(server.connectionCount == 20)
        for peer in peers { peer.close() }
        try await log.untilClosed(20)
      }
    }
    #expect(log.limits == [.connections])
  }

  @Test(
    "scenario G7: at a limit of four, nine clients are all served, and never more than four at once (P15)")
  func four() async throws {
    let now = Shared(0)
    let most = Shared(0)
    let served = Shared(0)
    try await withAuditedLoops(count: 2) { _ in
      var configuration = TCPServer.Configuration()
      configuration.limits.connections = 4
      try await withServer(framing: LineFraming(), configuration: configuration) { connection in
        let count = now.increase()
        most.change { $0 = max($0, count) }
        defer { now.decrease() }
        for try await line in connection.inbound {
          try await connection.send("echo: \(line) #\(served.increase())")
        }
      } body: { server in
        let peers = try await server.connect(count: 9)
        var numbers: [Int] = []
        for (number, peer) in peers.enumerated() {
          let reply = try await peer.ask("hello \(number)")
          #expect(reply.hasPrefix("echo: hello \(number) #"))
          numbers += reply.split(separator: "#").last.flatMap { Int($0) }.map { [$0] } ?? []
          peer.close()
        }
        #expect(numbers == Array(1...9))
      }
    }
    #expect(most.value <= 4)
  }

  @Test("lowered below what is in use, it disturbs nobody, and lets no more in until enough have left")
  func lowered() async throws {
    let log = EventLog()
    try await withAuditedLoops(count: 2) { _ in
      try await withServer(framing: LineFraming(), configuration: log.configuration(), handler: echo) {
        server in
        let first = try await server.connect(count: 5)
        for peer in first { #expect(try await peer.ask("hello") == "hello") }
        server.limits.connections = 2
        let late = try await server.connect()
        try late.send("late\n")
        for count in (3...5).reversed() {
          for peer in first[..<count] { #expect(try await peer.ask("still here") == "still here") }
          first[count - 1].close()
          try await log.untilClosed(6 - count)
          #expect(log.accepted.count == 5)
        }
        first[1].close()
        try await onThread { try late.expectLine("late") }
        #expect(server.connectionCount == 2)
        first[0].close()
        late.close()
      }
    }
  }

  @Test("raised, lowered and taken away under load, no limit is exceeded and no client is lost (P15)")
  func underLoad() async throws {
    let log = EventLog()
    let gate = Shared((now: 0, excess: 0, limit: Int?.some(8)))
    try await withAuditedLoops(count: 2) { _ in
      let configuration = log.configuration {
        $0.limits.connections = 8
        $0.backlog = 4096
      }
      try await withServer(framing: LineFraming(), configuration: configuration) { connection in
        gate.change { $0.now += 1 }
        defer { gate.change { $0.now -= 1 } }
        try await echo(connection)
      } body: { server in
        let limits = [1, 30, nil, 3, 8]
        try await withThrowingTaskGroup(of: Void.self) { group in
          for _ in 0..<2 {
            group.addTask { [port = server.port] in
              try await onThread {
                for number in 0..<200 {
                  let peer = try BlockingPeer.connect(port: port)
                  try peer.send("\(number)\n")
                  try peer.expectLine("\(number)")
                  peer.close()
                }
              }
            }
          }
          for round in 0..<100 {
            server.limits.connections = limits[round % limits.count]
            server.limits.connectionsPerPeer = round % 2 == 0 ? 1000 : nil
            server.limits.acceptRate = round % 3 == 0 ? AcceptRate(perSecond: 1_000_000) : nil
            server.limits.idle = round % 2 == 0 ? .seconds(600) : nil
            server.limits.message = round % 5 == 0 ? nil : .seconds(600)
            for loop in try Environment.current.loops.loops { await loop.nextTurn() }
          }
          try await group.waitForAll()
        }
        try await log.untilClosed(400)
        #expect(log.refusals == [])
        try await eventually("nobody is counted") { server.connectionCount == 0 && gate.value.now == 0 }
      }
    }
    #expect(log.accepted.count == 400)
  }

  @Test("the limits of each connection follow for those who are served, but for who has its own")
  func each() async throws {
    let log = EventLog()
    let clock = ManualClock()
    try await withAuditedLoops(count: 2, clock: clock) { group in
      let configuration = log.configuration { $0.limits.idle = .seconds(60) }
      try await withServer(framing: LineFraming(), configuration: configuration) { connection in
        for try await line in connection.inbound {
          if line == "mine" {
            var limits = connection.connection.limits
            limits.idle = .seconds(300)
            try connection.connection.set(limits)
          }
          try await connection.send(line)
        }
      } body: { server in
        let peers = try await server.connect(count: 3)
        for (peer, line) in zip(peers, ["mine", "yours", "ours"]) {
          #expect(try await peer.ask(line) == line)
        }
        server.limits.idle = nil
        clock.advance(by: .seconds(100))
        for loop in group.loops { for _ in 0..<3 { await loop.nextTurn() } }
        for peer in peers { #expect(try await peer.ask("still here") == "still here") }
        server.limits.idle = .seconds(30)
        try await eventually("they wait") {
          group.loops.reduce(0) { $0 + $1.census.deadlines } >= 3
        }
        clock.advance(by: .seconds(30))
        try await log.untilClosed(2)
        #expect(log.reasons == [.limit(.idle), .limit(.idle)])
        #expect(log.limits == [.idle, .idle])
        #expect(try await peers[0].ask("still here") == "still here")
        // A newcomer has what is in force.
        let late = try await server.connect()
        #expect(try await late.ask("hello") == "hello")
        try await eventually("it waits") { group.loops.reduce(0) { $0 + $1.census.deadlines } >= 2 }
        clock.advance(by: .seconds(30))
        try await log.untilClosed(3)
        for peer in peers + [late] { peer.close() }
      }
    }
  }

  @Test("values that cannot work change nothing, and are told")
  func refused() async throws {
    let log = EventLog()
    try await withAuditedLoops { _ in
      let server = try await TCPServer.bind(on: .loopback(), configuration: log.configuration())
      let before = server.limits
      server.limits.connections = -1
      server.limits.connectionsPerPeer = 0
      server.limits.acceptRate = AcceptRate(perSecond: 0)
      server.limits.acceptRate = AcceptRate(perSecond: 1, burst: 0)
      server.limits.admission = .zero
      server.limits.idle = .seconds(-1)
      #expect(server.limits == before)
      await server.drain()
    }
    // The last tells of the drain.
    let told = log.events.map(\.description).dropLast()
    #expect(told.count == 6)
    let names = ["connections", "connectionsPerPeer", "acceptRate", "burst", "admission", "idle"]
    for (text, name) in zip(told, names) {
      #expect(text.hasPrefix("limits not changed: invalid argument: limits."))
      #expect(text.contains(name))
    }
  }

  @Test("limits that cannot work are refused before anything is opened")
  func invalid() async throws {
    let changes: [(String, (inout TCPServer.Limits) -> Void)] = [
      ("limits.connections", { $0.connections = -1 }),
      ("limits.connectionsPerPeer", { $0.connectionsPerPeer = 0 }),
      ("limits.acceptRate", { $0.acceptRate = AcceptRate(perSecond: 1_000_001) }),
      ("limits.message", { $0.message = .zero }),
      ("limits.minimumRate", { $0.minimumRate = MinimumRate(bytesPerSecond: 0) }),
    ]
    for (name, change) in changes {
      var configuration = TCPServer.Configuration()
      change(&configuration.limits)
      let problem = await #expect(throws: SocketError.self) {
        try await TCPServer.bind(on: .loopback(), configuration: configuration)
      }
      #expect(problem?.description.contains(name) == true)
    }
  }

  @Test("limits of connections are one value by two names, and those for the public are all on")
  func values() throws {
    var configuration = TCPServer.Configuration()
    configuration.connection.limits.idle = .seconds(5)
    #expect(configuration.limits.idle == .seconds(5))
    configuration.limits.message = .seconds(7)
    #expect(configuration.connection.limits.message == .seconds(7))
    configuration.limits = .public
    #expect(configuration.connection.limits.idle == .seconds(60))
    let limits = TCPServer.Limits.public
    try limits.validate()
    #expect(limits.connections == TCPServer.Limits().connections)
    #expect(limits.connectionsPerPeer == 256 && limits.acceptRate == AcceptRate(perSecond: 1000))
    #expect(limits.firstByte == .seconds(10) && limits.message == .seconds(30))
    #expect(limits.writeStall == .seconds(30) && limits.minimumRate == MinimumRate(bytesPerSecond: 240))
  }
}
