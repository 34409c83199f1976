import AsyncSockets
import Framing
import TestHarness
import TestSupport
import Testing

@testable import TCPClient

/// For a machine that is busy with something else.
private func patient(atMost count: Int) -> PoolConfiguration {
  var configuration = PoolConfiguration(atMost: count)
  configuration.waitTimeout = nil
  configuration.client.connectTimeout = nil
  return configuration
}

@Suite("Races of pools", .timeLimit(.minutes(4))) struct RacesOfPoolsTests {
  @Test("tasks on several threads share connections over real sockets, and lose none")
  func sharing() async throws {
    try await withAuditedLoops { _ in
      try await withTestServer(.echo, framing: .lines) { server in
        let pool = try ConnectionPool(
          to: "127.0.0.1", port: server.port, framing: .lines, configuration: patient(atMost: 3))
        let inUse = Shared(0)
        try await pool.run {
          try await withThrowingTaskGroup { group in
            for task in 0..<8 {
              group.addTask {
                for number in 0..<25 {
                  let result = await outcome {
                    try await pool.withConnection { connection in
                      let count = inUse.increase()
                      defer { inUse.decrease() }
                      #expect(count <= 3)
                      if number % 10 == task { throw Oops() }
                      return try await connection.request("\(task) \(number)")
                    }
                  }
                  switch result {
                  case .success(let reply): #expect(reply == "\(task) \(number)")
                  case .failure(let error): #expect(error is Oops && number % 10 == task, "\(error)")
                  }
                }
              }
            }
            try await group.waitForAll()
          }
        }
        #expect(pool.snapshot.counts == PoolSnapshot.Counts())
      }
    }
  }

  @Test("who is cancelled while it is given a connection leaves it to others")
  func cancelling() async throws {
    try await withAuditedLoops { _ in
      try await withTestServer(.echo, framing: .lines) { server in
        let pool = try ConnectionPool(
          to: "127.0.0.1", port: server.port, framing: .lines, configuration: patient(atMost: 1))
        try await pool.run {
          for _ in 0..<50 {
            try await withThrowingTaskGroup { group in
              for _ in 0..<4 {
                group.addTask { try await pool.withConnection { _ = try await $0.request("hello") } }
              }
              try await group.next()
              group.cancelAll()
              while let result = await group.nextResult() {
                if case .failure(let error) = result { #expect(error is CancellationError, "\(error)") }
              }
            }
          }
          let last = try await pool.withConnection { try await $0.request("last") }
          #expect(last == "last")
        }
      }
    }
  }
}
