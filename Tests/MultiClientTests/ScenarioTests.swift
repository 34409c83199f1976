import MultiClient
import TCPServer
import TestHarness
import Testing

@Suite("What becomes of a target", .timeLimit(.minutes(2)))
struct ScenarioTests {
  @Test("scenario I3: one name from connect to the outcome")
  func stableNames() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", echo)
      let client = MultiClient(framing: .lines)
      var asked: [ConnectionID: Target] = [:]
      for _ in 0..<5 { asked[try await client.connect(to: address)] = .address(address) }
      client.finish()
      var seen: [ConnectionID: [String]] = [:]
      for await event in client.events {
        switch event {
        case .connected(let id, let target):
          #expect(asked[id] == target)
          seen[id, default: []].append("connected")
          #expect(try await client.send("I am \(id)", to: id))
        case .received(let id, let line):
          #expect(line == "I am \(id)")
          seen[id, default: []].append("received")
          await client.close(id)
        case .ended(let outcome):
          #expect(await client.target(of: outcome.id) == nil)
          seen[outcome.id, default: []].append("ended")
        case .writable, .notice: Issue.record("\(event)")
        }
      }
      #expect(seen.keys.sorted { "\($0)" < "\($1)" } == asked.keys.sorted { "\($0)" < "\($1)" })
      #expect(seen.values.allSatisfy { $0 == ["connected", "received", "ended"] })
    }
  }

  @Test("scenario I6: a silent peer times out once, after the input time-out, and sees the end of the stream")
  func silentPeer() async throws {
    try await withSimulation { world in
      let ends = Counter()
      let address = try await world.serve("server") { connection in
        try await silence(connection)
        ends.add()
      }
      let client = MultiClient<Asker>(framing: .lines)
      client.limits.timeouts.input = .seconds(1)
      let outcomes = await client.run([address]) { _ in Asker() }.all()
      #expect(outcomes.map(\.result) == [.timedOut(.input)])
      #expect(outcomes[0].handler.reasons == [.timedOut])
      #expect(outcomes[0].duration.isAbout(.seconds(1)))
      try await eventually("the peer sees the end") { ends.value == 1 }
    }
  }

  @Test("scenario I7: input puts the time-out off, and our own sends do not")
  func onlyInputCounts() async throws {
    try await withSimulation { world in
      let talker = try await world.serve("talker") { connection in
        for number in 0..<5 {
          try await world.sleep(for: .milliseconds(800))
          try await connection.send("\(number)")
        }
        try await silence(connection)
      }
      let listener = try await world.serve("listener", silence)
      let client = MultiClient(framing: .lines)
      client.limits.timeouts.input = .seconds(1)
      let heard = try await client.connect(to: talker)
      let told = try await client.connect(to: listener)
      client.finish()
      async let sending: Void = {
        for _ in 0..<10 {
          try await world.sleep(for: .milliseconds(300))
          _ = try await client.send("are you there?", to: told)
        }
      }()
      var lines = 0
      for await event in client.events {
        if case .received = event { lines += 1 }
        guard case .ended(let outcome) = event else { continue }
        #expect(outcome.result == .timedOut(.input))
        #expect(outcome.duration.isAbout(outcome.id == heard ? .seconds(5) : .seconds(1)))
      }
      #expect(lines == 5)
      try await sending
    }
  }

  @Test("scenario I9: nobody answers: the connect time-out counts, however long the others are")
  func blackHole() async throws {
    try await withSimulation { world in
      let address = world.blackHole("hole")
      let client = MultiClient<Asker>(framing: .lines)
      client.limits.timeouts = Timeouts(connect: .seconds(1), input: .seconds(60))
      let outcomes = await client.run([address]) { _ in Asker() }.all()
      #expect(outcomes.map(\.result) == [.timedOut(.connect)])
      #expect(outcomes[0].duration.isAbout(.seconds(1)))
      #expect(outcomes[0].handler.reasons == [.timedOut])
      #expect(outcomes[0].connectLatency == nil)
    }
  }

  private struct Sayer: ConnectionHandler {
    let parts: [[UInt8]]
    let aborts: Bool

    func connected(_ context: borrowing HandlerContext<RawFraming>) throws {
      for part in parts { try context.send(part) }
      if aborts { context.abort() } else { context.close() }
    }

    func received(_ frame: [UInt8], _ context: borrowing HandlerContext<RawFraming>) {}
  }

  @Test("scenario I10: what was sent goes out before a close, 5 MB too, and an abort drops it")
  func closeDelivers() async throws {
    try await withSimulation { world in
      let received = Log<Int>()
      let address = try await world.serve("server") { connection in
        var bytes = 0
        while let chunk = try await connection.connection.read() {
          bytes += chunk.count
          try await world.sleep(for: .milliseconds(1))
        }
        received.add(bytes)
      }
      @Sendable func result(_ parts: [[UInt8]], aborts: Bool) async -> TargetResult? {
        await MultiClient<Sayer>(framing: .raw).run([address]) { _ in Sayer(parts: parts, aborts: aborts) }
          .all().first?.result
      }
      #expect(
        await result([Array("hello\r\n".utf8), Array("world\r\n".utf8)], aborts: false) == .finished(.closed))
      #expect(await result([[UInt8](repeating: 7, count: 5_000_000)], aborts: false) == .finished(.closed))
      #expect(await result([[UInt8](repeating: 7, count: 50_000)], aborts: true) == .finished(.aborted))
      #expect(received.values == [14, 5_000_000])
    }
  }

  @Test("scenario I12: closing all ends what is open and what connects, and another client goes on")
  func closeAll() async throws {
    try await withSimulation { world in
      let ends = Counter()
      let address = try await world.serve("server") { connection in
        for try await line in connection.inbound { try await connection.send(line) }
        ends.add()
      }
      let hole = world.blackHole("hole")
      let other = MultiClient(framing: .lines)
      let mine = try await other.connect(to: address)
      let client = MultiClient<Asker>(framing: .lines)
      async let outcomes = client.run([address, address, hole]) { _ in Asker() }.all()
      try await eventually("two are open, and one connects") {
        let statistics = client.statisticsNow
        return statistics.open == 2 && statistics.connecting == 1
      }
      client.closeAll()
      let results = await outcomes.map(\.result)
      #expect(results.filter { $0 == .finished(.closed) }.count == 2)
      #expect(results.filter { $0 == .cancelled }.count == 1)
      try await eventually("both have seen the end") { ends.value == 2 }

      var events = other.events.makeAsyncIterator()
      #expect(await events.next()?.kind == "connected")
      #expect(try await other.send("still here", to: mine))
      #expect(await events.next()?.kind == "received")
      other.closeAll()
      #expect(await events.next()?.kind == "ended")
      #expect(await events.next()?.kind == nil)
    }
  }

  @Test("scenario I13: a peer that closes at once is one good end")
  func peerCloses() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server") { _ in }
      let outcomes = await MultiClient<Asker>(framing: .lines).run([address]) { _ in Asker() }.all()
      #expect(outcomes.map(\.result) == [.finished(.closedByPeer)])
      #expect(outcomes[0].handler.ends == 1)
      #expect(outcomes[0].handler.reasons == [.closedByPeer])
    }
  }

  @Test("scenario I18: the target is reported as it was asked for, a name as a name")
  func targets() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", echo)
      let targets: [Target] = [
        .host("server", port: 7), .address(address), .host(address.host, port: 7), .host("nobody", port: 7),
        .host("server", port: 0), .host("1:2", port: 7),
      ]
      let client = MultiClient<Asker>(framing: .lines, atMost: 1)
      let outcomes = await client.run(targets) { _ in Asker(question: "?") }.all()
      #expect(outcomes.map(\.target) == targets)
      #expect(outcomes[..<3].allSatisfy { $0.result == .finished(.closed) })
      #expect(outcomes[3].result.isFailure { if case .unresolved("nobody", _) = $0 { true } else { false } })
      #expect(outcomes[4].result.isFailure { if case .invalid = $0 { true } else { false } })
      #expect(outcomes[5].result.isFailure { if case .invalid = $0 { true } else { false } })
    }
  }
}

extension ClientEvent {
  fileprivate var kind: String {
    switch self {
    case .connected: "connected"
    case .received: "received"
    case .writable: "writable"
    case .ended: "ended"
    case .notice: "notice"
    }
  }
}

extension TargetResult {
  fileprivate func isFailure(_ isMeant: (SocketError) -> Bool) -> Bool {
    if case .failed(let error) = self { isMeant(error) } else { false }
  }
}
