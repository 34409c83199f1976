import AsyncSockets
import Framing
import TCPServer
import TestHarness
import Testing

// What Docs/Simulation.md shows, as it stands there (.ci/check-readme).

@Suite struct DocumentedHistoryTests {
  @Test("a history of a shop")
  func shop() async throws {
    try await withSimulation(seed: 7) { world in
      let history = History<String, String>(in: world)
      let shop = world.host("shop")
      let server = try await shop.run { try await TCPServer.bind(on: .any(port: 7)) }
      shop.start {
        try await server.run(framing: .lines) { connection in
          for try await id in connection.inbound {
            history.executed(id, reply: "sold")  // where it takes effect
            try await connection.send("sold")
          }
        }
      }
      try await world.host("buyer").run {
        _ = try await history.request("a bicycle") { id in
          try await Connector().withConnection(to: "shop", port: 7) { connection in
            try await connection.framed(.lines).request(id)
          }
        }
      }
      try history.check()
    }
  }

  @Test("a register for each key")
  func registers() async throws {
    enum Command: Sendable {
      case get(String)
      case put(String, String)

      var key: String {
        switch self {
        case .get(let key), .put(let key, _): key
        }
      }
    }

    try await withSimulation(seed: 7) { world in
      let history = History<Command, String>(in: world)
      _ = try await history.request(.put("x", "1")) { _ in "1" }  // ask a real service here
      _ = try await history.request(.get("x")) { _ in "1" }
      try history.check(
        .oneOutcome,
        .linearizable(from: "", per: \.key) { value, command in
          if case .put(_, let new) = command { value = new }
          return value
        })
    }
  }
}
