import TCPClient
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("A session of requests with ids")
struct SessionByIDTests {
  /// `7 what?` asks, `7 that` answers, and `- news` answers nothing.
  private static func id(of line: String) -> Substring? {
    line.split(separator: " ").first.flatMap { $0 == "-" ? nil : $0 }
  }

  @Test(
    "gives each its reply in whatever order they come, on the connection that it was made on, and others to the body"
  )
  func outOfOrder() async throws {
    let news = Shared<[String]>([])
    let answers = try await withSimulation(seed: 1) { world in
      let connections = Shared(0)
      try await world.host("server").serveLines { connection in
        let number = connections.increase()
        var waiting: [String] = []
        for try await line in connection.inbound {
          waiting.append(line)
          guard waiting.count == 3 else { continue }
          try await connection.send("- news of connection \(number)")
          for line in waiting.reversed() { try await connection.send(line + " from \(number)") }
          return
        }
      }
      let client = TCPClient(
        to: "server", port: 7, configuration: ClientLog().configuration(.fixed(.seconds(1))))
      let session = client.session(
        framing: .lines, id: Self.id, whileDisconnected: .wait)
      return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await session.run { connection in
            for try await line in connection.inbound { news.change { $0.append(line) } }
          }
        }
        var answers: [String] = []
        for round in ["a", "b"] {
          try await withThrowingTaskGroup(of: String.self) { requests in
            for number in 1...3 {
              requests.addTask { try await session.request("\(number)\(round)") }
            }
            for try await answer in requests { answers.append(answer) }
          }
          // The server leaves now; who asks too early is told that nobody knows.
          while session.isConnected { try await world.sleep(for: .milliseconds(10)) }
        }
        group.cancelAll()
        do { try await group.waitForAll() } catch is CancellationError {}
        return answers.sorted()
      }
    }
    #expect(answers == ["1a from 1", "1b from 2", "2a from 1", "2b from 2", "3a from 1", "3b from 2"])
    #expect(news.value == ["- news of connection 1", "- news of connection 2"])
  }

  @Test("refuses an id in use, and sends nothing")
  func idInUse() async throws {
    let received = Shared<[String]>([])
    try await withSimulation(seed: 2) { world in
      try await world.host("server").serveLines { connection in
        for try await line in connection.inbound { received.change { $0.append(line) } }
      }
      let client = TCPClient(to: "server", port: 7)
      let session = client.session(
        framing: .lines, id: { Self.id(of: $0) ?? "" }, replyID: Self.id, whileDisconnected: .wait)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await session.run() }
        group.addTask { _ = try await session.request("1 first", deadline: .after(.seconds(3))) }
        try await world.sleep(for: .seconds(1))
        await #expect(throws: CorrelatorError.idInUse("1")) { _ = try await session.request("1 second") }
        try await world.sleep(for: .seconds(3))
        group.cancelAll()
        await #expect(throws: (any Error).self) { try await group.waitForAll() }
      }
    }
    #expect(received.value == ["1 first"])
  }
}
