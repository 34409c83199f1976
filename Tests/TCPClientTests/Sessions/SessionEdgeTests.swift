import AsyncSockets
import Framing
import TCPClient
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("A session, at its edges,")
struct SessionEdgeTests {
  private func client(_ log: ClientLog = ClientLog(), _ policy: ReconnectPolicy = .fixed(.seconds(1)))
    -> TCPClient
  {
    TCPClient(to: "server", port: 7, configuration: log.configuration(policy))
  }

  @Sendable private static func id(of line: String) -> Int? {
    line.split(separator: " ").first.flatMap { Int($0) }
  }

  @Test(
    "finds a silent server also while nobody reads, and none that goes on sending or may be waiting for room",
    arguments: [
      ("", Duration.seconds(1_000), true), ("one line", .seconds(1_000), true), ("tick", .seconds(1), false),
      (String(repeating: "x", count: 20_000), .seconds(1_000), false),
    ])
  func nobodyReads(line: String, pause: Duration, isSilent: Bool) async throws {
    let log = ClientLog()
    try await withSimulation(seed: 1) { world in
      try await world.host("server").serveLines { connection in
        while true {
          if !line.isEmpty { try await connection.send(line) }
          try await world.sleep(for: pause)
        }
      }
      let feed = self.client(log).session(
        framing: .lines, heartbeat: .send("PING", every: .seconds(1), silence: .seconds(3)))
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await feed.run { _ in try await world.sleep(for: .seconds(10)) } }
        try await world.sleep(for: .seconds(10.5))
        group.cancelAll()
        do { try await group.waitForAll() } catch is CancellationError {}
      }
    }
    #expect((log.reasons.first == .timedOut) == isSilent)
  }

  @Test("finds a server silent when its time is over, though a heartbeat still waits for its reply")
  func inTime() async throws {
    let log = ClientLog()
    let time = try await withSimulation(seed: 2) { world in
      try await world.host("server").serveLines { connection in while try await connection.next() != nil {} }
      let feed = self.client(log, .never).session(
        framing: .lines, heartbeat: .request("PING", every: .seconds(18), silence: .seconds(20)))
      _ = try? await feed.run()
      return world.elapsed
    }
    #expect(log.reasons == [.timedOut])
    #expect(time > .seconds(20) && time < .seconds(21))
  }

  @Test("whose policy is to wait waits for the next connection when the server dies within a frame")
  func deadWithinFrame() async throws {
    try await withSimulation(seed: 3) { world in
      let accepted = Shared(0)
      try await world.host("server").serveLines { lines in
        if accepted.increase() == 1 {
          _ = try await lines.connection.read()
          return try await lines.connection.send("9:par")
        }
        let connection = try lines.switching(to: NetstringFraming())
        for try await frame in connection.inbound { try await connection.send(frame) }
      }
      let feed = self.client().session(framing: NetstringFraming(), whileDisconnected: .wait)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await feed.run { connection in
            do { while try await connection.next() != nil {} } catch {}
            // It takes its time to leave.
            try await world.sleep(for: .seconds(1))
          }
        }
        await #expect(throws: TCPClient.SessionError.self) { _ = try await feed.request([1]) }
        if try await feed.request([2]) != [2] { throw Oops() }
        group.cancelAll()
        do { try await group.waitForAll() } catch is CancellationError {}
      }
    }
  }

  @Test("without a closure drops what answers nothing from the first frame on, also while it is opened")
  func noisyOpening() async throws {
    try await withSimulation(seed: 4) { world in
      try await world.host("server").serveLines { connection in
        for try await line in connection.inbound {
          for number in 0..<50 { try await connection.send("- news \(number)") }
          try await connection.send(line)
        }
      }
      let feed = self.client(ClientLog(), .never).session(
        framing: .lines, id: Self.id, keepingUnsolicited: 1, whileDisconnected: .wait,
        opening: { _ = try await $0.request("1 login") })
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await feed.run() }
        if try await feed.request("2 get") != "2 get" { throw Oops() }
        try await eventually("all are counted") { feed.droppedCount == 100 }
        group.cancelAll()
        do { try await group.waitForAll() } catch is CancellationError {}
      }
    }
  }

  @Test("with replies in order allows as many requests without one as it was told")
  func limit() async throws {
    try await withSimulation(seed: 5) { world in
      try await world.host("server").serveLines { connection in
        try await world.sleep(for: .seconds(5))
        for try await line in connection.inbound { try await connection.send(line) }
      }
      let feed = self.client().session(framing: .lines, atMost: 2, whileDisconnected: .wait)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await feed.run() }
        async let first = feed.request("1")
        async let second = feed.request("2")
        try await world.sleep(for: .seconds(1))
        await #expect(throws: CorrelatorError.tooManyRequests(limit: 2)) { _ = try await feed.request("3") }
        if try await (first, second) != ("1", "2") { throw Oops() }
        group.cancelAll()
        do { try await group.waitForAll() } catch is CancellationError {}
      }
      let none = self.client().session(framing: .lines, atMost: 0)
      await #expect(throws: FramingError.self) { try await none.run() }
    }
  }
}
