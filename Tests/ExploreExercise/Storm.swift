import Synchronization
import TCPClient
import TCPServer
import TestHarness

/// An hour of fifty clients that talk with a server which crashes at random, and connect again whenever they lose it.
enum Storm {
  struct Result: Equatable, CustomStringConvertible {
    let fingerprint: UInt64
    let crashes: Int
    let connections: Int
    let replies: Int

    var description: String {
      "fingerprint \(fingerprint): \(crashes) crashes, \(connections) connections, \(replies) replies in an hour"
    }
  }

  private final class Counters: Sendable {
    let connections = Atomic<Int>(0)
    let replies = Atomic<Int>(0)
  }

  static func run(seed: UInt64) async throws -> Result {
    try await withSimulation(seed: seed) { world in
      let server = world.host("server")
      server.start {
        try await TCPServer.serve(on: .any(port: 7), framing: .lines) { connection in
          for try await line in connection.inbound { try await connection.send(line) }
        }
      }
      let counters = Counters()
      return try await withThrowingTaskGroup { group in
        for number in 0..<50 {
          group.addTask {
            try await world.host("client-\(number)").run { try await talk(world, counters) }
          }
        }
        var crashes = 0
        while world.elapsed < .seconds(3600) {
          try await world.sleep(for: world.random(in: .zero ... .seconds(60)))
          server.crash()
          crashes += 1
          try await world.sleep(for: world.random(in: .zero ... .seconds(20)))
          server.restart()
        }
        group.cancelAll()
        while let _ = await group.nextResult() {}
        return Result(
          fingerprint: world.fingerprint, crashes: crashes,
          connections: counters.connections.load(ordering: .relaxed),
          replies: counters.replies.load(ordering: .relaxed))
      }
    }
  }

  private static func talk(_ world: SimulatedWorld, _ counters: Counters) async throws {
    try await TCPClient(to: "server", port: 7).run(framing: .lines) { connection in
      counters.connections.add(1, ordering: .relaxed)
      while true {
        try await connection.send("How are you?")
        guard try await connection.next() != nil else { return }
        counters.replies.add(1, ordering: .relaxed)
        try await world.sleep(for: .seconds(5))
      }
    }
  }
}
