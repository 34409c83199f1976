import Framing
import Peers
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("Waiting for the drain", .timeLimit(.minutes(4)))
struct UntilDrainingTests {
  @Test("a handler that waits for it beside its work ends that, and says goodbye")
  func besideWork() async throws {
    try await withAuditedLoops(clock: ManualClock()) { _ in
      let server = try await TCPServer.bind(on: .ownLoopback())
      async let running: Void = server.run(framing: LineFraming()) { connection in
        await withDiscardingTaskGroup { group in
          group.addTask {
            while !Task.isCancelled {
              try? await connection.send("tick")
              try? await connection.loop.sleep(for: .seconds(1))
            }
          }
          try? await connection.untilDraining()
          group.cancelAll()
        }
        try await connection.send("goodbye")
      }
      let peer = try await server.connect()
      try await onThread { try peer.expectLine("tick") }
      server.beginDrain()
      try await onThread { try peer.expectEnd(after: "goodbye\n") }
      peer.close()
      try await running
    }
  }

  @Test("a handler that pushes and never reads says goodbye when the server drains")
  func goodbye() async throws {
    let waiting = Shared(0)
    try await withAuditedLoops(count: 2) { _ in
      let server = try await TCPServer.bind(on: .ownLoopback())
      async let running: Void = server.run(framing: LineFraming()) { connection in
        waiting.increase()
        try await connection.untilDraining()
        #expect(connection.isDraining)
        // Again: it does not wait any more.
        try await connection.untilDraining()
        try await connection.send("goodbye")
      }
      let peers = try await server.connect(count: 4)
      try await eventually("they wait") { waiting.value == 4 }
      #expect(waiting.value == 4)
      server.beginDrain()
      for peer in peers {
        try await onThread { try peer.expectEnd(after: "goodbye\n") }
        peer.close()
      }
      let report = await server.drain()
      #expect(report.cut == [])
      try await running
    }
  }

  @Test(
    "any number of tasks may wait for it, on the loop and off it, beside a reader and a sender that waits")
  func many() async throws {
    let told = Shared(0)
    try await withAuditedLoops { _ in
      let server = try await TCPServer.bind(on: .ownLoopback())
      async let running: Void = server.run(framing: LineFraming()) { connection in
        try await withThrowingTaskGroup { group in
          for number in 0..<6 {
            group.addTask(executorPreference: number % 2 == 0 ? globalConcurrentExecutor : nil) {
              try await connection.untilDraining()
              told.increase()
            }
          }
          try await echo(connection)
          try await group.waitForAll()
        }
      }
      let peer = try await server.connect()
      #expect(try await peer.ask("still here") == "still here")
      #expect(told.value == 0)
      server.beginDrain()
      try await onThread { try peer.expectEnd() }
      peer.close()
      try await running
      #expect(told.value == 6)
    }
  }

  @Test("it is cancelled with its task, before and while it waits")
  func cancelled() async throws {
    let errors = Shared<[String]>([])
    try await withAuditedLoops { _ in
      try await withServer(framing: LineFraming()) { connection in
        await withThrowingTaskGroup { group in
          for _ in 0..<3 {
            group.addTask {
              do {
                try await connection.untilDraining()
              } catch {
                errors.change { $0.append("\(type(of: error))") }
              }
            }
          }
          await connection.loop.nextTurn()
          group.cancelAll()
          group.addTask {
            do {
              try await connection.untilDraining()
            } catch {
              errors.change { $0.append("\(type(of: error))") }
            }
          }
        }
        try await connection.send("done")
      } body: { server in
        let peer = try await server.connect()
        try await onThread { try peer.expectEnd(after: "done\n") }
        peer.close()
      }
    }
    #expect(errors.value == [String](repeating: "CancellationError", count: 4))
  }

  @Test("when the connection ends before, it throws what ended it")
  func ended() async throws {
    let errors = Shared<[SocketError]>([])
    try await withAuditedLoops { _ in
      try await withServer(framing: LineFraming()) { connection in
        func wait() async {
          do {
            try await connection.untilDraining()
          } catch {
            errors.change { if let error = error as? SocketError { $0.append(error) } }
          }
        }
        await withTaskGroup { group in
          group.addTask { await wait() }
          await connection.loop.nextTurn()
          let line = try? await connection.next()
          if line == "close" { await connection.close() } else { connection.abort() }
        }
        await wait()
      } body: { server in
        for line in ["close", "abort"] {
          let peer = try await server.connect()
          try peer.send(line + "\n")
          try await onThread { try peer.expectNothing() }
          peer.close()
        }
      }
    }
    #expect(errors.value == [.closed, .closed, .closed, .closed])
  }

  @Test("a reset that a read meets ends the wait beside it")
  func reset() async throws {
    let errors = Shared<[String]>([])
    try await withAuditedLoops { _ in
      try await withServer(framing: LineFraming()) { connection in
        async let waiting: Void = {
          do {
            try await connection.untilDraining()
          } catch {
            errors.change { $0.append("\(error)") }
          }
        }()
        do {
          while let _ = try await connection.next() {}
        } catch {
          errors.change { $0.append("\(error)") }
        }
        await waiting
      } body: { server in
        let peer = try await server.connect()
        try await eventually("it is served") { server.connectionCount == 1 }
        try peer.reset()
        try await eventually("both know") { errors.value.count == 2 }
      }
    }
    #expect(Set(errors.value).count == 1)
    #expect(errors.value[0].hasPrefix("connection reset by 127.0.0.1:"))
  }
}
