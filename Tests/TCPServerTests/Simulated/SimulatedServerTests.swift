import Framing
import TCPServer
import TestHarness
import Testing

/// What a server does to its clients, all of it on a simulated network, where times are exact.
@Suite("A server in a simulation", .timeLimit(.minutes(2))) struct SimulatedServerTests {
  struct Trouble: Error {}

  @Test(
    "drains: who ends is finished, who waits is cancelled at the deadline, who does not listen is aborted after it"
  )
  func drain() async throws {
    try await withSimulatedServer { world, server, log in
      let clients = try await withThrowingTaskGroup(of: Connection.self) { group in
        for word in ["idle", "busy", "deaf"] {
          group.addTask { try await ask(word, answer: word) }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      try check("\(server.snapshot)".contains("10.0.0"), "\(server.snapshot)")
      let begin = world.elapsed
      let report = await server.drain(deadline: .seconds(5))
      let outcomes = Set(report.connections.map(\.outcome.rawValue))
      try check(outcomes == ["finished", "cancelled", "aborted"], "\(report)")
      let time = world.elapsed - begin
      try check(time >= .seconds(6) && time < .milliseconds(6200), "it took \(time)")
      try check("\(report)".contains("waited in"), "\(report)")
      clients.forEach { $0.abort() }
      try check(log.events.contains { "\($0)".hasPrefix("drained in") }, "\(log.events)")
    }
  }

  @Test("ends who is silent, slow or idle when that is due, and tells which limit it was")
  func limits() async throws {
    try await withSimulatedServer({
      $0.limits.firstByte = .seconds(10)
      $0.limits.message = .seconds(30)
      $0.limits.minimumRate = MinimumRate(bytesPerSecond: 240, over: .seconds(20))
      $0.limits.idle = .seconds(60)
    }) { world, _, log in
      func ending(after bytes: String, within range: ClosedRange<Int>, of limit: TCPServer.Limit) async throws
      {
        let begin = world.elapsed
        let connection = try await connect()
        defer { connection.abort() }
        if !bytes.isEmpty { try await connection.send(Array(bytes.utf8)) }
        while let bytes = try? await connection.read(), !bytes.isEmpty {}
        let time = Int((world.elapsed - begin) / .seconds(1))
        try check(range.contains(time) && log.limits.last == limit, "\(limit) after \(time) s: \(log.limits)")
      }
      try await ending(after: "", within: 10...10, of: .firstByte)
      try await ending(after: "half", within: 20...30, of: .minimumRate)
      try await ending(after: "whole\n", within: 60...60, of: .idle)
      try check(log.events.contains { "\($0)".contains("reached a limit: idle") }, "\(log.events)")
    }
  }

  @Test(
    "has places for so many, for so many of a peer and for so many a second, and these may change while it runs"
  )
  func places() async throws {
    try await withSimulatedServer({
      $0.limits.connections = 3
      $0.limits.connectionsPerPeer = 2
      $0.limits.acceptRate = AcceptRate(perSecond: 10, burst: 2)
    }) { world, server, log in
      var clients = [try await ask("one", answer: "one"), try await ask("two", answer: "two")]
      let third = try await connect()
      let bytes = (try? await third.read()) ?? []
      third.abort()
      try check(bytes.isEmpty && log.refusals.count == 1, "\(log.refusals)")
      try await world.host("other").run {
        clients.append(try await ask("three", answer: "three"))
      }
      var limits = server.limits
      limits.connections = -1
      server.limits = limits
      try check(log.events.contains { "\($0)".hasPrefix("limits not changed") }, "\(log.events)")
      (limits.connections, limits.connectionsPerPeer, limits.acceptRate) = (nil, nil, nil)
      server.limits = limits
      clients.append(try await ask("four", answer: "four"))
      try check(server.connectionCount == 4 && server.totals.accepted >= 4, "\(server.totals)")
      clients.forEach { $0.abort() }
    }
  }

  @Test("pauses, goes on, and stops accepting, and those who wait meanwhile are served or refused")
  func pause() async throws {
    try await withSimulatedServer { world, server, log in
      await server.pauseAccepting()
      let early = try await connect()
      try await early.send(Array("early\n".utf8))
      try await world.sleep(for: .seconds(60))
      try check(log.accepted.isEmpty, "nobody is accepted")
      server.resumeAccepting()
      let answer = try await early.framed(.lines).next()
      try check(answer == "early", "\(answer ?? "nothing")")
      server.stopAccepting()
      try await world.sleep(for: .seconds(1))
      do {
        try await connect().abort()
        throw Trouble()
      } catch is SocketError {}
      early.abort()
    }
  }

  @Test("is out of descriptors, waits, and serves those who have waited")
  func shortage() async throws {
    try await withSimulatedServer { world, _, log in
      let host = world.host("server")
      world.setDescriptorLimit(2, of: host)
      let first = try await ask("one", answer: "one")
      let second = try await connect()
      try await world.sleep(for: .seconds(1))
      try check(log.pauses == ["paused"], "\(log.pauses)")
      first.abort()
      try await second.send(Array("two\n".utf8))
      let answer = try await second.framed(.lines).next()
      try check(answer == "two", "\(answer ?? "nothing")")
      second.abort()
    }
  }

  @Test(
    "tells everybody something, and does not wait for who is slow",
    arguments: ["dropNewest", "disconnect", "wait"])
  func broadcast(policy: String) async throws {
    try await withSimulatedServer({
      if let marks = try? Watermarks(high: 2000, low: 1000) { $0.connection.watermarks = marks }
    }) { world, server, _ in
      let listener = try await ask("one", answer: "one")
      let slow = try await ask("two", answer: "two")
      async let heard = count(on: listener)
      let message = String(repeating: "x", count: 1000)
      let policies = ["dropNewest": SlowConsumerPolicy.dropNewest, "disconnect": .disconnect]
      for _ in 0..<(policy == "wait" ? 3 : 200) {
        try await server.broadcast(message, framing: .lines, slowConsumers: policies[policy] ?? .wait)
        try await world.sleep(for: .milliseconds(50))
      }
      try await world.sleep(for: .seconds(1))
      slow.abort()
      await server.drain(deadline: .seconds(1))
      let lines = try await heard
      try check(lines == (policy == "wait" ? 3 : 200), "the listener has heard \(lines)")
    }
  }

  private func count(on connection: Connection) async throws -> Int {
    var count = 0
    for try await _ in connection.framed(.lines).inbound { count += 1 }
    await connection.close()
    return count
  }
}
