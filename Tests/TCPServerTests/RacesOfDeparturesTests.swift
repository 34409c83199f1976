import Framing
import Peers
import TCPServer
import TestHarness
import Testing

@Suite("Races of departures", .timeLimit(.minutes(4)))
struct RacesOfDeparturesTests {
  @Test("peers go, handlers end and the server is stopped at the same time: each connection ends once")
  func everything() async throws {
    for round in 0..<(isSlowRun ? 100 : 6) {
      let log = EventLog()
      let cancellation: TCPServer.HandlerCancellation = round % 2 == 0 ? .onReset : .onEndOfStream
      let configuration = log.configuration { $0.cancelsHandlers = cancellation }
      try await withAuditedLoops(count: 2) { _ in
        let server = try await TCPServer.bind(on: .loopback(), configuration: configuration)
        let peers = try await server.connect(count: 30)
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            try await server.run(framing: .lines) { connection in
              // Off the loop, so that reads, ends and departures do meet.
              try await offTheLoop {
                let line = try await connection.next() ?? ""
                if line == "leave" { return }
                if line == "close" { await connection.close() }
                if line == "sleep" { try await connection.loop.sleep(for: .seconds(3600)) }
                while let line = try await connection.next() { try await connection.send(line) }
              }
            }
          }
          for (number, peer) in peers.enumerated() {
            group.addTask {
              try await onThread {
                let word = ["leave", "close", "sleep", "echo"][number % 4]
                // It may have been told to go by the time that it says something.
                try? peer.send("\(word)\nmore\n")
                if number % 3 == 0 { try peer.reset() } else { peer.close() }
              }
            }
          }
          if round % 3 == 0 {
            try await log.untilClosed(10)
          } else {
            // Of those who close, some sleep on where the end of a stream does not count.
            for _ in 0..<(round * 5) { await Task.yield() }
          }
          group.cancelAll()
          while let _ = await group.nextResult() {}
        }
      }
      #expect(log.accepted.count == log.reasons.count)
    }
  }

  /// On the global executor, wherever the caller runs.
  private func offTheLoop(_ body: @concurrent @Sendable () async throws -> Void) async throws {
    try await withTaskExecutorPreference(globalConcurrentExecutor) { try await body() }
  }
}
