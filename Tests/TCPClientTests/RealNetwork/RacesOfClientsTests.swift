import TCPClient
import TestHarness
import Testing

@Suite("Races of clients", .timeLimit(.minutes(2)))
struct RacesOfClientsTests {
  @Test("a client that is retargeted all the time from another thread has one outcome for each attempt")
  func retargets() async throws {
    let log = ClientLog()
    try await withAuditedLoops { _ in
      try await withTestServer(.echo, framing: .lines) { one in
        try await withTestServer(.echo, framing: .lines) { two in
          let client = TCPClient(
            to: .loopback(port: one.port), configuration: log.configuration(.fixed(.milliseconds(1))))
          try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
              try await client.run(framing: .lines) { connection in
                while true { _ = try await connection.request("hello") }
              }
            }
            for number in 0..<100 {
              try client.retarget(to: .loopback(port: number.isMultiple(of: 2) ? two.port : one.port))
              for _ in 0..<(number % 7) { await Task.yield() }
            }
            try await eventually("it talks to the last") {
              guard case .healthy(let attempt) = client.currentState else { return false }
              return attempt.target == .address(.loopback(port: one.port))
            }
            group.cancelAll()
            do { try await group.waitForAll() } catch is CancellationError {}
          }
        }
      }
    }
    #expect(log.disorder == nil)
  }

  @Test("requests of many tasks over a server that keeps restarting each have one outcome")
  func requests() async throws {
    try await withAuditedLoops { _ in
      try await withTestServer(.echo, framing: .lines) { server in
        let client = TCPClient(
          to: .loopback(port: server.port), configuration: ClientLog().configuration(.fixed(.milliseconds(1)))
        )
        let session = client.session(framing: .lines, whileDisconnected: .wait)
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await session.run() }
          try await withThrowingTaskGroup(of: Void.self) { requests in
            for task in 0..<8 {
              requests.addTask {
                for number in 0..<50 {
                  do {
                    let answer = try await session.request("\(task) \(number)")
                    guard answer == "\(task) \(number)" else { throw Oops() }
                  } catch TCPClient.SessionError.outcomeUnknown {}
                }
              }
            }
            for _ in 0..<5 { try await server.restart() }
            try await requests.waitForAll()
          }
          group.cancelAll()
          do { try await group.waitForAll() } catch is CancellationError {}
        }
      }
    }
  }
}
