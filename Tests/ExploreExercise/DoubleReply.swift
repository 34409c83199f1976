import AsyncSockets
import Framing
import TCPServer
import TestHarness

/// A request/reply system, and a mistake that only a lost connection shows.
enum DoubleReply {
  struct Found: Error, CustomStringConvertible {
    let id: Int
    var description: String { "request \(id) is answered twice" }
  }

  static let faults = FaultMix(
    .crash("server"), .kill("server"), .cut("client", "server"), .cut(from: "server", to: "client"),
    .reset("client", "server"), upTo: 4, within: .seconds(20))

  /// - Parameter repeatsItself: whether the server says once more on a new connection what it said last on the one before.
  static func system(_ world: SimulatedWorld, repeatsItself: Bool) async throws {
    world.host("server").start {
      let last = Lock<String?>(nil)
      try await TCPServer.serve(on: .any(port: 7), framing: .lines) { connection in
        if repeatsItself, let line = last.withLock({ $0 }) { try await connection.send(line) }
        for try await line in connection.inbound {
          last.withLock { $0 = line }
          try await connection.send(line)
        }
      }
    }
    try await world.host("client").run { try await ask(world) }
  }

  private static func ask(_ world: SimulatedWorld) async throws {
    var answered = Set<Int>()
    while answered.count < 20 {
      do {
        try await Connector().withConnection(to: "server", port: 7) { connection in
          let lines = connection.framed(.lines)
          while answered.count < 20 {
            try await lines.send("\(answered.count)")
            guard let line = try await lines.next(deadline: .after(.seconds(5))), let id = Int(line)
            else { return }
            if !answered.insert(id).inserted { throw Found(id: id) }
            try await world.sleep(for: .seconds(1))
          }
        }
      } catch is SocketError {
        try await world.sleep(for: .seconds(1))
      }
    }
  }
}
