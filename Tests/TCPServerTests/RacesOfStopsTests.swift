import Framing
import Peers
import TCPServer
import TestHarness
import Testing

#if THREAD_SANITIZER
  private let rounds = 40
#else
  private let rounds = isSlowRun ? 1000 : 100
#endif

@Suite("Stops from everywhere at once", .serialized, .timeLimit(.minutes(4)))
struct RacesOfStopsTests {
  @Test(
    "drain, stopAccepting and cancellation may come together, from any task, with clients coming and going (P72)"
  )
  func together() async throws {
    let log = EventLog()
    try await withAuditedLoops(count: 2) { _ in
      for round in 0..<rounds {
        let server = try await TCPServer.bind(on: .ownLoopback(), configuration: log.configuration())
        let peers = try await server.connect(count: 4)
        for peer in peers { try peer.send("hello\n") }
        await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await server.run(framing: LineFraming(), echo) }
          group.addTask { await server.drain(deadline: .milliseconds(round % 3)) }
          group.addTask { server.stopAccepting() }
          group.addTask { await server.drain() }
          group.addTask {
            try await onThread {
              for (number, peer) in peers.enumerated() {
                if number % 2 == 0 { _ = try peer.receiveToEnding() }
                peer.close()
              }
            }
          }
          if round % 2 == 0 { group.cancelAll() }
          do { try await group.waitForAll() } catch { #expect(error is CancellationError) }
        }
        #expect(server.connectionCount == 0)
        #expect(try await isRefused(server.address))
      }
    }
    #expect(log.accepted.count == log.reasons.count)
    #expect(log.failures == [])
    figure("P72", "drains, stops and cancellations at once, that ended", rounds)
  }

  @Test("a handler's connection may be used from many tasks off the loop while the server ends")
  func offTheLoop() async throws {
    let log = EventLog()
    try await withAuditedLoops(count: 2) { _ in
      for round in 0..<rounds {
        let server = try await TCPServer.bind(on: .loopback(), configuration: log.configuration())
        async let running: Void = server.run(framing: LineFraming()) { connection in
          try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<3 {
              group.addTask(executorPreference: globalConcurrentExecutor) {
                for number in 0..<5 { try await connection.send("note \(number)") }
              }
            }
            group.addTask(executorPreference: globalConcurrentExecutor) { try await echo(connection) }
            try await group.waitForAll()
          }
        }
        let peers = try await server.connect(count: 4)
        for peer in peers { try peer.send("hello\n") }
        server.beginDrain(deadline: round % 4 == 0 ? .zero : .seconds(10))
        let lines = try await onThread {
          try peers.map { peer in
            let (bytes, _) = try peer.receiveToEnding()
            peer.close()
            return String(decoding: bytes, as: UTF8.self)
          }
        }
        try await running
        // Whole lines, and all of them unless the handlers were cancelled.
        for text in lines {
          #expect(text.isEmpty || text.hasSuffix("\n"))
          if round % 4 != 0 { #expect(text.split(separator: "\n").count == 16) }
        }
      }
    }
    #expect(log.accepted.count == log.reasons.count)
    #expect(log.failures == [])
  }
}
