import Framing
import Peers
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("Attacks, with healthy clients beside them", .serialized, .timeLimit(.minutes(10)))
struct AttackTests {
  @Test(
    "peers that send a byte every ten seconds are ended with the message, all of them, and nobody else (P58)")
  func slowLoris() async throws {
    let count = isSlowRun ? 1000 : 50
    let log = EventLog()
    let clock = ManualClock()
    try await withAuditedLoops(count: 2, clock: clock) { group in
      let configuration = log.configuration {
        $0.limits = .public
        $0.limits.connectionsPerPeer = nil
        $0.limits.acceptRate = nil
        $0.limits.minimumRate = nil
      }
      let bytesRead = Shared<[Connection]>([])
      try await withServer(framing: LineFraming(), configuration: configuration) { connection in
        bytesRead.change { $0.append(connection.connection) }
        try await echo(connection)
      } body: { server in
        let healthy = try await server.connect(count: 5)
        for peer in healthy { #expect(try await peer.ask("hello") == "hello") }
        let slow = try await server.connect(count: count)
        for step in 1...3 {
          for peer in slow { try peer.send("x") }
          // Each byte is read, and more waited for: every read makes progress.
          try await eventually("\(step) bytes of each are read") {
            bytesRead.value.count { $0.counters.bytesRead == UInt64(step) && $0.snapshot.waits == [.read] }
              == count
          }
          clock.advance(by: .seconds(step < 3 ? 10 : 9))
          for peer in healthy { #expect(try await peer.ask("hello") == "hello") }
          #expect(log.reasons == [])
        }
        clock.advance(by: .seconds(1))
        try await log.untilClosed(count)
        #expect(log.reasons == Array(repeating: .limit(.message), count: count))
        #expect(log.limits == Array(repeating: .message, count: count))
        for peer in healthy { #expect(try await peer.ask("hello") == "hello") }
        figure(
          "P58", "peers of a byte each 10 s that were ended, and healthy ones", "\(log.reasons.count), 0 of 5"
        )
        bytesRead.set([])
        for peer in healthy + slow { peer.close() }
      }
    }
  }

  @Test("each of them is ended at the very millisecond of its message's limit (P58)")
  func slowLorisInTime() async throws {
    let count = isSlowRun ? 1000 : 200
    try await withSimulation(seed: 58) { world in
      let ends = Shared<[Duration]>([])
      let host = world.host("server")
      world.setDescriptorLimit(5000, of: host)
      let server = try await host.run {
        var configuration = TCPServer.Configuration()
        configuration.limits.message = .seconds(30)
        configuration.limits.idle = .seconds(15)
        configuration.limits.connections = nil
        configuration.onEvent = { event in
          if case .limit(.message, _) = event { ends.change { $0.append(world.elapsed) } }
        }
        return try await TCPServer.bind(on: .any(port: 7), configuration: configuration)
      }
      let begins = Shared<[Duration]>([])
      host.start {
        try await server.run(framing: .lines) { connection in
          _ = try await connection.connection.peek()
          begins.change { $0.append(world.elapsed) }
          for try await line in connection.inbound { try await connection.send(line) }
        }
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<count {
          group.addTask {
            let client = world.host("client\(number % 10)")
            world.setDescriptorLimit(5000, of: client)
            try await client.run {
              try await world.sleep(for: .milliseconds(number))
              let connection = try await Connector().connect(to: "server", port: 7)
              while true {
                do { try await connection.send("x") } catch { break }
                try await world.sleep(for: .seconds(10))
              }
              connection.abort()
            }
          }
        }
        try await group.waitForAll()
      }
      try check(ends.value.count == count, "all are ended, not \(ends.value.count)")
      let lates = zip(begins.value.sorted(), ends.value.sorted()).map { $1 - $0 - .seconds(30) }
      figure("P58", "ended after their message's limit by at most", (lates.max() ?? .zero).inMilliseconds)
      for (begin, end) in zip(begins.value.sorted(), ends.value.sorted()) {
        let time = end - begin
        try check(.seconds(30) <= time && time <= .seconds(30.001), "ended after 30 s, not \(time)")
      }
    }
  }

  @Test("clients that connect and reset as fast as they can start next to no handler, and harm nobody (P61)")
  func churn() async throws {
    let count = isSlowRun ? 200_000 : 2000
    let log = Shared((accepted: 0, gone: 0, closed: 0, most: 0))
    try await withAuditedLoops(count: 2) { _ in
      var configuration = TCPServer.Configuration()
      configuration.limits.connections = 64
      configuration.onEvent = { event in
        log.change { log in
          switch event {
          case .accepted: log.accepted += 1
          case .refused(_, .gone): log.gone += 1
          case .closed: log.closed += 1
          default: break
          }
        }
      }
      try await withServer(framing: LineFraming(), configuration: configuration, handler: echo) { server in
        let healthy = try await server.connect(count: 5)
        for peer in healthy { #expect(try await peer.ask("hello") == "hello") }
        let isOver = Shared(false)
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { [port = server.port] in
            defer { isOver.set(true) }
            try await onThread { for _ in 0..<count { try BlockingPeer.connect(port: port).reset() } }
          }
          repeat {
            for peer in healthy { #expect(try await peer.ask("hello") == "hello") }
            log.change { $0.most = max($0.most, server.connectionCount) }
          } while !isOver.value
          try await group.waitForAll()
        }
        #expect(log.value.most <= 64)
        // Those that died in the queue may not have been accepted at all.
        try await eventually("the churn is over: \(log.value)") { server.connectionCount == 5 }
        for peer in healthy {
          #expect(try await peer.ask("still here") == "still here")
          peer.close()
        }
      }
    }
    let (accepted, gone, closed, most) = log.value
    figure("P61", "connects and resets, handlers started for them", "\(count), \(accepted - 5)")
    figure("P61", "connections at once, with a limit of 64, at most", most)
    #expect(accepted == closed)
    #expect(accepted + gone <= count + 5)
    // One whose reset arrives a moment after it was accepted has a handler, which ends at once.
    #expect(gone > 0)
  }
}
