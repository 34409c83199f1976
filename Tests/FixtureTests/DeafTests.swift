import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

/// Waits for ever, whoever cancels it, until it is let go.
private func ignoreCancellation(until released: Latch, on loop: EventLoop) async {
  _ = await released.wait(on: loop, isCancellable: false)
}

@Suite("Who ignores cancellation is left behind, and named", .timeLimit(.minutes(2)))
struct DeafTests {
  /// The report of a test in which somebody waits for what comes only afterwards.
  private func report(
    patience: Duration = .milliseconds(1), _ test: (Latch, EventLoop, Duration) async throws -> Void
  ) async throws -> String {
    let released = Latch()
    defer { released.open() }
    let loop = try EventLoopGroup.shared.loops[0]
    let error = await #expect(throws: ExpectationFailure.self) {
      try await Grace.$current.withValue(.milliseconds(50)) { try await test(released, loop, patience) }
    }
    return text(error)
  }

  @Test("a script's failure is thrown, even if the body never ends")
  func body() async throws {
    let report = try await report(patience: .seconds(20)) { released, loop, patience in
      try await withTestServer(framing: .lines, patience: patience) { peer in
        try await peer.expect("HELLO")
      } body: { server in
        let client = try await server.connect()
        try client.send("HULLO\n")
        await ignoreCancellation(until: released, on: loop)
        client.close()
      }
    }
    #expect(report.contains(#"expected "HELLO", but "HULLO" came"#))
    #expect(report.contains("transcript:"))
    #expect(
      report.hasSuffix(
        "the test's body did not end within 0.05 seconds of its cancellation, and was left behind"))
  }

  @Test(
    "a script or a handler that outlives its client and the body fails the test", arguments: [true, false])
  func player(isScript: Bool) async throws {
    let report = try await report { released, loop, patience in
      let play: @Sendable (TestPeer<LineFraming>) async throws -> Void = { _ in
        await ignoreCancellation(until: released, on: loop)
      }
      try await withTestServer(
        isScript ? .script(play) : .handler(play), framing: .lines, patience: patience
      ) { server in
        let client = try await server.connect()
        try await server.waitForClients(1, within: .seconds(20))
        client.close()
      }
    }
    let kind = isScript ? "script" : "handler"
    #expect(report.hasPrefix("client 1 at 127.0.0.1:"))
    #expect(report.contains("its \(kind) has not ended, though the test has"))
    #expect(report.contains("\nthe \(kind) of client 1 at 127.0.0.1:"))
    #expect(report.hasSuffix("and was left behind"))
  }

  @Test("an error of the body is not lost on a script that never ends")
  func throwingBody() async throws {
    struct Mine: Error {}
    let report = try await report { released, loop, patience in
      try await withTestServer(framing: .lines, patience: patience) { _ in
        await ignoreCancellation(until: released, on: loop)
      } body: { server in
        let client = try await server.connect()
        try await server.waitForClients(1, within: .seconds(20))
        client.close()
        throw Mine()
      }
    }
    #expect(report.hasPrefix("the test's body threw: Mine()\nthe script of client 1 at "))
  }

  @Test("a cancelled test ends, even if its body does not")
  func cancelled() async throws {
    let report = try await report { released, loop, _ in
      let begun = Latch()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await withTestServer(.echo) { _ in
            begun.open()
            await ignoreCancellation(until: released, on: loop)
          }
        }
        _ = await begun.wait(on: loop)
        group.cancelAll()
        try await group.waitForAll()
      }
    }
    #expect(report.hasPrefix("the test was cancelled\nthe test's body did not end"))
  }

  @Test("a script that goes on after the body has the time that its own limits give it, and plays to its end")
  func busyScript() async throws {
    try await withSimulation(seed: 1) { world in
      try await withTestServer(framing: .lines, patience: .seconds(1)) { peer in
        try await peer.expect("one", within: .seconds(3600))
        try await peer.expectEnd(within: .seconds(3600))
      } body: { server in
        world.host("localhost").start {
          let client = try await Connection.connect(to: server.addresses[0])
          try await world.sleep(for: .seconds(1800))
          try await client.send("one\n")
          await client.close()
        }
        try await server.waitForClients(1)
      }
    }
  }

  @Test("a script that waits without a limit for what does not come is cancelled, and named")
  func patientScript() async throws {
    try await withSimulation(seed: 1) { world in
      let error = await #expect(throws: ExpectationFailure.self) {
        try await withTestServer(framing: .lines) { peer in
          while try await peer.next() != nil {}
        } body: { server in
          world.host("localhost").start {
            let client = try await Connection.connect(to: server.addresses[0])
            _ = try? await client.read()
            client.abort()
          }
          try await server.waitForClients(1)
        }
      }
      #expect(text(error).contains("its script has not ended, though the test has"))
      #expect(!text(error).contains("left behind"))
    }
  }

  @Test("a send that the other end does not take is told with place, client and transcript")
  func stalledSend() async throws {
    try await withSimulation(seed: 1) { _ in
      try await withTestServer { server in
        let client = try await Connection.connect(to: server.addresses[0])
        let peer = try await server.accept()
        let error = await #expect(throws: ExpectationFailure.self) {
          try await peer.send(bytes: [UInt8](repeating: 0, count: 512 << 10), within: .seconds(3))
        }
        let report = text(error)
        #expect(report.hasPrefix("FixtureTests/DeafTests.swift:"))
        #expect(report.contains(": client 1 at 127.0.0.1:"))
        #expect(report.contains("the other end has not taken what was sent within 3.0 seconds; "))
        #expect(report.contains("transcript:"))
        client.abort()
      }
    }
  }

  @Test("a server that is over says so at once to who asks for something", .standingClock)
  func afterTheEnd() async throws {
    let server = try await withTestServer(.silent) { server in
      async let waiting = #expect(throws: ExpectationFailure.self) { try await server.accept() }
      await server.shutdown()
      _ = await waiting
      return server
    }
    let calls: [() async throws -> Void] = [
      { _ = try await server.accept() }, { try await server.waitForClients(1) },
      server.restart, server.blackHole,
      server.resume, server.refuse, server.pauseAccepting,
    ]
    for call in calls {
      let error = await #expect(throws: ExpectationFailure.self) { try await call() }
      #expect(problem(error).hasSuffix("the test server on port \(server.port) is over"))
    }
  }
}
