import TCPClient
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("A client that reconnects")
struct ReconnectTests {
  @Test("enters its body with one connection after the other, and pauses between them")
  func again() async throws {
    let log = ClientLog()
    let lines = try await withSimulation(seed: 1) { world in
      try await world.host("server").serveLines { try await $0.send("hello") }
      let client = TCPClient(to: "server", port: 7, configuration: log.configuration(.fixed(.seconds(1))))
      let times = Shared<[Duration]>([])
      await #expect(throws: Oops.self) {
        try await client.run(framing: .lines) { connection in
          times.change { $0.append(world.elapsed) }
          if times.value.count == 4 { throw Oops() }
          guard try await connection.next() == "hello" else { throw Oops() }
          if times.value.count == 2 { _ = try await connection.next(deadline: .after(.zero)) }
        }
      }
      let begin = times.value.first ?? .zero
      return times.value.map { Int(($0 - begin) / .seconds(1)) }
    }
    #expect(lines == [0, 1, 2, 3])
    #expect(log.disorder == nil)
    #expect(
      log.lines == [
        "connecting 1", "connected 1", "healthy 1", "closed 1: closed by this side", "backing off",
        "connecting 2", "connected 2", "healthy 2",
        "body failed 2: next from 10.0.0.2:7: the deadline passed",
        "closed 2: handler threw: next from 10.0.0.2:7: the deadline passed", "backing off",
        "connecting 3", "connected 3", "healthy 3", "closed 3: closed by this side", "backing off",
        "connecting 4", "connected 4", "body failed 4: Oops()", "closed 4: handler threw: Oops()",
        "ended: failed: Oops()",
      ])
  }

  /// What a body is said to return decides which `run` it is, however it is written.
  @Test("ends with the value that its body finishes with, wherever that comes from")
  func value() async throws {
    @Sendable func ask(_ connection: Lines) async throws -> TCPClient.Next<String> {
      .finish(try await connection.request("hello"))
    }
    let answers = try await withSimulation(seed: 2) { world in
      try await world.host("server").serveEcho()
      let client = TCPClient(to: "server", port: 7)
      let one: String = try await client.run(framing: .lines) { try await ask($0) }
      let two = try await client.run(framing: .lines, ask)
      let three: String = try await client.run(framing: .lines) { connection in
        if try await connection.request("really?") == "no" { return .reconnect }
        return .finish("really")
      }
      let four = try await client.run { connection in
        try await connection.send("!\n")
        return .finish(try await connection.read(exactly: 1) == [33])
      }
      return "\(one) \(two) \(three) \(four)"
    }
    #expect(answers == "hello hello really true")
  }
}
