import TCPClient
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("A client whose server takes no more output when the closure has returned")
struct StalledCloseTests {
  /// A server that reads nothing, and a body that leaves its connection with as much output as there is room for.
  private func stalled(
    _ body:
      @escaping @Sendable (SimulatedWorld, _ fill: @escaping @Sendable (Connection) async -> Void)
      async throws -> Void
  ) async throws {
    try await withSimulation(seed: 7) { world in
      try await world.host("server").serveLines { _ in try await world.sleep(for: .seconds(100)) }
      try await world.host("new").serveLines { connection in _ = try await connection.next() }
      try await body(world) { connection in
        let piece = [UInt8](repeating: 1, count: 65_536)
        while (try? await withDeadline(.after(.seconds(1)), { try await connection.send(piece) })) != nil {}
      }
    }
  }

  @Test("that is cancelled then ends within a second")
  func cancelled() async throws {
    try await stalled { world, fill in
      let isLeft = Door()
      let log = ClientLog()
      let client = TCPClient(to: "server", port: 7, configuration: log.configuration())
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await client.run { connection in
            await fill(connection)
            isLeft.open()
          }
        }
        try await isLeft.pass(on: world.loop)
        try await world.sleep(for: .seconds(2))
        let begin = world.elapsed
        group.cancelAll()
        await #expect(throws: CancellationError.self) { try await group.waitForAll() }
        let time = world.elapsed - begin
        #expect(time > .milliseconds(900) && time < .milliseconds(1100))
      }
      #expect(log.reasons == [.cancelled])
    }
  }

  @Test("and that is retargeted then is with the new one within a second")
  func retargeted() async throws {
    try await stalled { world, fill in
      let (isLeft, log) = (Door(), ClientLog())
      let client = TCPClient(to: "server", port: 7, configuration: log.configuration())
      async let elapsed: Duration = client.run { connection in
        if client.targets == [.host("new", port: 7)] { return .finish(world.elapsed) }
        await fill(connection)
        isLeft.open()
        return .reconnect
      }
      try await isLeft.pass(on: world.loop)
      try await world.sleep(for: .seconds(2))
      let begin = world.elapsed
      try client.retarget(to: "new", port: 7)
      let time = try await elapsed - begin
      #expect(time > .milliseconds(900) && time < .milliseconds(1200))
      #expect(log.reasons.first == .retargeted)
    }
  }

  @Test("in one conversation, which is cancelled then, ends within a second, too")
  func conversation() async throws {
    try await stalled { world, fill in
      let isLeft = Door()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await TCPClient.withConnection(to: "server", port: 7) { connection in
            await fill(connection)
            isLeft.open()
          }
        }
        try await isLeft.pass(on: world.loop)
        try await world.sleep(for: .seconds(2))
        let begin = world.elapsed
        group.cancelAll()
        try await group.waitForAll()
        #expect(world.elapsed - begin < .milliseconds(1100))
      }
    }
  }
}
