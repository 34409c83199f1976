import TCPClient
import TestHarness
import Testing

@Suite("A client on real sockets", .timeLimit(.minutes(2)))
struct RealClientTests {
  @Test("scenario H15: takes the address of localhost that answers, where another refuses")
  func localhost() async throws {
    try await withAuditedLoops { _ in
      try await withTestServer(.echo, framing: .lines, on: [.loopback()]) { server in
        var patient = TCPClient.Configuration()
        patient.connectTimeout = nil
        let answer = try await TCPClient.withConnection(
          to: "localhost", port: server.port, framing: .lines, configuration: patient
        ) {
          try await $0.request("hello")
        }
        #expect(answer == "hello")
      }
    }
  }

  @Test("scenario H4: gives up a server that does not answer at its time-out, and closes what it had begun")
  func blackHole() async throws {
    let clock = ManualClock()
    let log = ClientLog()
    try await withAuditedLoops(clock: clock) { loops in
      try await withTestServer(.blackHole, patience: .seconds(86_400)) { server in
        let client = TCPClient(
          to: server.addresses[0],
          configuration: log.configuration(.never) { $0.connectTimeout = .seconds(1) })
        async let run: Void = client.run { _ in }
        try await eventually("the client has given up") {
          clock.advance(by: .milliseconds(100))
          return log.events.count >= 3
        }
        do {
          try await run
          throw Oops()
        } catch SocketError.timedOut {}
        // What the kernel may still send is answered by nobody.
        try await server.resume()
        #expect(loops.loops.allSatisfy { $0.census.abandonedConnections == 0 })
      }
    }
    #expect(log.lines == ["connecting 1", "failed 1: unreachable", "ended: gave up after 1"])
  }

  @Test("comes back to a server that restarts, again and again")
  func restarts() async throws {
    let log = ClientLog()
    try await withAuditedLoops { _ in
      try await withTestServer(.echo, framing: .lines) { server in
        let client = TCPClient(
          to: .loopback(port: server.port), configuration: log.configuration(.fixed(.milliseconds(1))))
        let session = client.session(framing: .lines, whileDisconnected: .wait)
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await session.run() }
          for number in 0..<5 {
            try await server.restart()
            var answer: String?
            while answer == nil {
              do {
                answer = try await session.request("\(number)")
              } catch TCPClient.SessionError.outcomeUnknown {
                // It was sent to the server that has just gone; asking again does no harm.
              }
            }
            #expect(answer == "\(number)")
          }
          group.cancelAll()
          do { try await group.waitForAll() } catch is CancellationError {}
        }
      }
    }
    #expect(log.disorder == nil)
  }

  private actor Counter {
    private(set) var lines = 0

    func count(from client: TCPClient) async throws {
      let _: Bool = try await client.run(framing: .lines) { connection in
        self.assertIsolated()
        lines += 1
        try await connection.send("hello")
        _ = try await connection.next()
        self.assertIsolated()
        return lines == 3 ? .finish(true) : .reconnect
      }
    }
  }

  @Test("enters its body where its caller runs, an actor's too")
  func isolation() async throws {
    try await withAuditedLoops { _ in
      try await withTestServer(.echo, framing: .lines) { server in
        let client = TCPClient(
          to: .loopback(port: server.port), configuration: ClientLog().configuration(.fixed(.zero)))
        let counter = Counter()
        try await counter.count(from: client)
        #expect(await counter.lines == 3)
      }
    }
  }
}
