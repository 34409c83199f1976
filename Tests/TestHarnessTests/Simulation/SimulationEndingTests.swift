import AsyncSockets
import TCPServer
import TestHarness
import Testing

@Suite struct SimulationEndingTests {
  private func failure(
    _ body: @escaping @Sendable (SimulatedWorld) async throws -> Void
  ) async throws -> SimulationFailure {
    try #require(
      await #expect(throws: SimulationFailure.self) { try await withSimulation(seed: 9, body) })
  }

  private struct Oops: Error {}

  @Test("an error tells the seed that leads to it, and the last that happened")
  func failingBody() async throws {
    let failure = try await failure { world in
      try await world.sleep(for: .seconds(3))
      world.note("about to fail")
      throw Oops()
    }
    #expect(failure.seed == 9)
    #expect(failure.elapsed == .seconds(3))
    #expect(failure.underlying is Oops)
    #expect(failure.trace.suffix(2).first == "3.000000000 s  about to fail")
    #expect("\(failure)".contains("withSimulation(seed: 9)"))
  }

  @Test("a sleep of the standard library that was cancelled is not left behind, however long it was")
  func cancelledSleep() async throws {
    try await withSimulation(seed: 9) { _ in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await Task.sleep(for: .seconds(1_000_000)) }
        group.addTask {}
        try await group.next()
        group.cancelAll()
      }
    }
  }

  @Test("a body that waits for what nobody will do is told what it waits for")
  func stuck() async throws {
    let failure = try await failure { world in
      let listener = try Listener.bind(to: .loopback(port: 80), on: world.loop)
      defer { listener.close() }
      _ = try await listener.accept(on: world.loop)
    }
    #expect(failure.underlying is SimulationStuck)
    #expect("\(failure)".contains("listens on 127.0.0.1:80"))
  }

  @Test("a connection that nobody closes is left behind")
  func leakedConnection() async throws {
    let failure = try await failure { world in
      let pair = try await SimulatedPair.connect(world)
      let task = Task { _ = try await pair.far.read() }
      await pair.near.close()
      withExtendedLifetime(task) {}
    }
    let leak = try #require(failure.underlying as? ResourcesLeaked)
    #expect("\(leak)".contains("dropped without close() or abort()") || "\(leak)".contains("left behind"))
  }

  @Test("a task that goes on for ever is left behind")
  func endlessTask() async throws {
    let failure = try await failure { world in
      Task { while !Task.isCancelled { try await Task.sleep(for: .seconds(3600)) } }
    }
    #expect("\(failure.underlying)".contains("1 deadline"))
  }

  @Test("a task that ends by itself within a day is not")
  func taskThatEnds() async throws {
    try await withSimulation(seed: 1) { _ in
      Task { try await Task.sleep(for: .seconds(3600)) }
    }
  }

  @Test("what comes back from another thread is told, with the place where it went on")
  func stray() async throws {
    let failure = try await failure { _ in
      await MainActor.run {}
    }
    let strays = try #require(failure.underlying as? StrayJobs)
    #expect(strays.functions.count == 1)
    let function = strays.functions[0]
    #expect(
      function.contains("TestHarnessTests") || function.hasPrefix("llvm-symbolizer --obj="), "\(function)")
  }

  @Test("what awaits a real event loop is told so, once, and not which function of the runtime went on")
  func realLoop() async throws {
    let loop = try EventLoopGroup.shared.next()
    let failure = try await failure { _ in
      for _ in 0..<3 {
        let outside = Task(executorPreference: loop.executor) { try await loop.sleep(for: .milliseconds(50)) }
        try await outside.value
      }
    }
    let strays = try #require(failure.underlying as? StrayJobs)
    let text = "a task of the simulation awaited something outside of it, such as another event loop"
    #expect("\(strays)".ranges(of: text).count == 1, "\(strays)")
  }

  @Test("an error of a service ends the simulation")
  func failingService() async throws {
    let failure = try await failure { world in
      world.host("server").start { throw Oops() }
      try await world.sleep(for: .seconds(1000))
    }
    #expect(failure.underlying is Oops)
    #expect(failure.elapsed == .zero)
  }

  @Test("a body that looks again and again does not keep time from passing")
  func yieldingBody() async throws {
    try await withSimulation(seed: 1) { world in
      let done = Latch()
      world.host("other").start {
        try await world.sleep(for: .milliseconds(50))
        done.open()
      }
      while !done.isOpen { await Task.yield() }
      #expect(world.elapsed >= .milliseconds(50))
    }
  }

  @Test("cancelling the caller cancels the simulation")
  func cancelledCaller() async throws {
    let begun = Latch()
    let task = Task {
      try await withSimulation(seed: 1) { world in
        begun.open()
        _ = await Latch().wait(on: world.loop)
        try Task.checkCancellation()
      }
    }
    _ = await begun.wait(on: try EventLoopGroup.shared.next())
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test("two runs that differ are told apart, with the first line that differs")
  func divergence() async throws {
    let runs = Lock(0)
    let diverged = try #require(
      await #expect(throws: SimulationDiverged.self) {
        try await withSimulations(seeds: 3..<4) { world in
          world.note("run \(runs.withLock { $0 += 1; return $0 })")
        }
      })
    #expect(diverged.seed == 3)
    #expect(diverged.difference == "first: 0.000000000 s  run 1\nthen:  0.000000000 s  run 2")
  }

  @Test("a detached task has the simulation's network, and no other")
  func detached() async throws {
    try await withTestServer(.echo) { real in
      let port = real.port
      try await withSimulation(seed: 1) { world in
        let error = await Task.detached { () -> (any Error)? in
          do { _ = try await Connection.connect(to: .loopback(port: port)) } catch { return error }
          return nil
        }.value
        let text = "\(try #require(error))"
        #expect(text.contains("ECONNREFUSED"))
      }
    }
  }

  @Test("a test server works inside of a simulation")
  func testServer() async throws {
    try await withSimulation(seed: 1) { world in
      try await world.host("server").run {
        try await withTestServer(.echo) { server in
          let connection = try await Connection.connect(to: server.addresses[0])
          try await connection.send("hello")
          let echo = try await connection.read(exactly: 5)
          #expect(echo == Array("hello".utf8))
          await connection.close()
        }
      }
    }
  }
}
