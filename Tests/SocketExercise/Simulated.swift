import AsyncSockets
import Framing
import TestHarness

/// A small simulation, of which every process must see the same.
enum Simulated {
  static func run(seed: UInt64) async throws {
    try await withSimulation(seed: seed) { world in
      let server = world.host("server")
      let listener = try await server.run { try Listener.bind(to: .any(port: 7), on: world.loop) }
      server.start {
        defer { listener.close() }
        try await withThrowingDiscardingTaskGroup { group in
          while true {
            let connection = try await listener.accept(on: world.loop)
            group.addTask {
              defer { connection.abort() }
              let lines = connection.framed(.lines)
              while let line = try await lines.next() { try await lines.send(line) }
            }
          }
        }
      }
      try await withThrowingDiscardingTaskGroup { group in
        for client in 0..<5 {
          group.addTask {
            try await world.host("client-\(client)").run {
              try await Connector().withConnection(to: "server", port: 7) { connection in
                let lines = connection.framed(.lines)
                for number in 0..<20 {
                  let line =
                    "\(client) \(number) " + String(repeating: "x", count: world.random(in: 0...3000))
                  try await lines.send(line)
                  try require(try await lines.next() == line, "another line came back")
                  await Task { try? await Task.sleep(for: .milliseconds(5)) }.value
                }
              }
            }
          }
        }
      }
      SocketExercise.say("\(world.fingerprint) \(world.elapsed)")
    }
  }
}
