import Framing
import Peers
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("How many connections a peer may have, and how fast they may come", .timeLimit(.minutes(4)))
struct PeerLimitTests {
  @Test("a hog gets its share and resets beyond it, and other addresses are served beside it (P60)")
  func hog() async throws {
    let log = EventLog()
    let cap = 8
    try await withAuditedLoops(count: 2) { _ in
      let configuration = log.configuration { $0.limits.connectionsPerPeer = cap }
      try await withServer(framing: LineFraming(), configuration: configuration, handler: echo) { server in
        let hog = try await server.connect(count: 10 * cap)
        try await eventually("the excess is refused") { log.refusals.count == 9 * cap }
        for number in 2...9 {
          var connector = Connector()
          connector.localAddress = try SocketAddress("127.0.0.\(number):0")
          let reply = try await connector.withConnection(to: "127.0.0.1", port: server.port) { connection in
            let lines = connection.framed(.lines)
            try await lines.send("hello")
            return try await lines.next()
          }
          #expect(reply == "hello")
        }
        for peer in hog[..<cap] { #expect(try await peer.ask("hello") == "hello") }
        #expect(try await onThread { try hog[cap].receiveToEnding().ending } == .reset)
        #expect(server.connectionCount <= cap + 8)
        figure(
          "P60", "of a hog's \(10 * cap) connections refused, and of others", "\(log.refusals.count), 0 of 8")
        // One that leaves makes room for one more.
        hog[0].close()
        try await eventually("it has ended") { log.reasons.count == 9 }
        let next = try await server.connect()
        #expect(try await next.ask("hello") == "hello")
        for peer in hog + [next] { peer.close() }
      }
    }
    #expect(log.refusals.allSatisfy { $0.contains("as many connections as it may") })
  }

  @Test("its limit can be raised, lowered below what it has, and taken away")
  func changed() async throws {
    let log = EventLog()
    try await withAuditedLoops { _ in
      let configuration = log.configuration { $0.limits.connectionsPerPeer = 2 }
      try await withServer(framing: LineFraming(), configuration: configuration, handler: echo) { server in
        var peers = try await server.connect(count: 2)
        for peer in peers { #expect(try await peer.ask("hello") == "hello") }
        for (limit, isServed) in [(2, false), (3, true), (1, false), (nil, true), (nil, true), (4, false)] {
          server.limits.connectionsPerPeer = limit
          let refusals = log.refusals.count
          let peer = try await server.connect()
          if isServed {
            #expect(try await peer.ask("hello") == "hello")
            peers.append(peer)
          } else {
            try await eventually("it is refused") { log.refusals.count == refusals + 1 }
            peer.close()
          }
          // Nobody who is there notices.
          for peer in peers { #expect(try await peer.ask("still here") == "still here") }
        }
        for peer in peers { peer.close() }
      }
    }
  }

  @Test("connections that come faster than they may wait in the queue, and all are served in time")
  func acceptRate() async throws {
    try await withSimulation(seed: 11) { world in
      let times = Shared<[Duration]>([])
      let log = EventLog()
      let host = world.host("server")
      let server = try await host.run {
        let configuration = log.configuration {
          $0.limits.acceptRate = AcceptRate(perSecond: 10, burst: 5)
        }
        return try await TCPServer.bind(on: .any(port: 7), configuration: configuration)
      }
      host.start {
        try await server.run { connection in
          times.change { $0.append(world.elapsed) }
          while try await connection.read() != nil {}
        }
      }
      try await world.host("client").run {
        var connections: [Connection] = []
        for _ in 0..<25 { connections.append(try await Connector().connect(to: "server", port: 7)) }
        try await world.sleep(for: .seconds(3))
        for connection in connections { await connection.close() }
      }
      let first = times.value.first ?? .zero
      let delays = times.value.map { $0 - first }
      try check(delays.count == 25, "all are served, not \(delays.count)")
      try check(delays.filter { $0 < .milliseconds(50) }.count <= 6, "a burst of 5 at once: \(delays)")
      let last = delays.last ?? .zero
      try check(.seconds(1.9) <= last && last <= .seconds(2.1), "the last after 2 s, not \(last)")
      try check(log.limits == [.acceptRate], "told once: \(log.limits)")

      // Raised, lowered and taken away, it counts for those who wait.
      server.limits.acceptRate = AcceptRate(perSecond: 1, burst: 1)
      try await world.host("client").run {
        var connections: [Connection] = []
        for _ in 0..<10 { connections.append(try await Connector().connect(to: "server", port: 7)) }
        try await world.sleep(for: .seconds(3))
        try check((27...30).contains(times.value.count), "one a second, not \(times.value.count - 25)")
        server.limits.acceptRate = nil
        try await world.sleep(for: .seconds(1))
        try check(times.value.count == 35, "all are served, not \(times.value.count)")
        for connection in connections { await connection.close() }
      }
    }
  }

  @Test("a server that ends serves who waits in the queue, whatever the rate")
  func endIsNotPutOff() async throws {
    let log = EventLog()
    try await withAuditedLoops(clock: ManualClock()) { _ in
      let configuration = log.configuration {
        $0.limits.acceptRate = AcceptRate(perSecond: 1, burst: 1)
      }
      try await withServer(framing: LineFraming(), configuration: configuration, handler: echo) { server in
        let peers = try await server.connect(count: 10)
        for peer in peers { try peer.send("hello\n") }
        try await eventually("the rate is reached") { log.limits == [.acceptRate] }
        server.stopAccepting()
        for peer in peers {
          try await onThread { try peer.expectLine("hello") }
          peer.close()
        }
      }
    }
    #expect(log.accepted.count == 10)
  }
}

struct UnexpectedInSimulation: Error, CustomStringConvertible {
  let description: String
}

/// For simulations, in which an issue that is recorded carries no seed.
func check(_ isTrue: Bool, _ description: @autoclosure () -> String) throws {
  if !isTrue { throw UnexpectedInSimulation(description: description()) }
}
