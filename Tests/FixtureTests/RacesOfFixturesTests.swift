import AsyncSockets
import Framing
import TestHarness
import Testing

@Suite("Everything at once at a test server: races", .standingClock, .timeLimit(.minutes(4)))
struct RacesOfFixturesTests {
  @Test("clients, observers, broadcasts, endings and doors, at the same time")
  func everything() async throws {
    try await withTestServer(.echo, framing: .lines) { server in
      let isOver = Latch()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<4 {
          group.addTask {
            for round in 0..<20 {
              // Any of these may be cut off.
              guard let client = try? await Connection.connect(to: server.addresses[number % 2]) else {
                continue
              }
              let lines = client.framed(.lines)
              try? await lines.send("\(number) \(round)")
              _ = try? await lines.next()
              if round % 3 == 0 { client.abort() } else { await client.close() }
            }
          }
        }
        group.addTask {
          for round in 1...20 {
            try await server.broadcast("to all")
            for client in server.clients { _ = server.info(of: client.id) }
            if round % 2 == 0 { server.terminate(server.clientCount) }
            _ = await server.disconnect(server.clientCount - 1)
          }
        }
        group.addTask {
          for round in 0..<10 {
            switch round % 3 {
            case 0: try await server.pauseAccepting()
            case 1: try await server.refuse()
            default: try await server.restart()
            }
            try await server.resume()
          }
        }
        for _ in 0..<3 {
          group.addTask {
            var connected = 0
            var disconnected = 0
            for await event in server.events {
              if case .connected = event { connected += 1 }
              if case .disconnected = event { disconnected += 1 }
              if isOver.isOpen, connected == disconnected, connected >= server.clientCount { break }
              if case .listening = event, isOver.isOpen { break }
            }
            #expect(disconnected <= connected)
          }
        }
        for _ in 0..<6 { try await group.next() }
        isOver.open()
        await server.shutdown()
        try await group.waitForAll()
      }
    }
  }
}
