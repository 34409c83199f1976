import Framing
import Peers
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("Limits that change at any moment", .serialized, .timeLimit(.minutes(4)))
struct RacesOfLimitsTests {
  #if THREAD_SANITIZER
    private static let rounds = 2000
  #else
    private static let rounds = isSlowRun ? 100_000 : 5000
  #endif

  @Test("while connections come, go, and are in the middle of messages, on the loop and off it, harm nobody")
  func changes() async throws {
    let log = EventLog()
    let isOver = Shared(false)
    try await withAuditedLoops(count: 2) { _ in
      let configuration = log.configuration()
      try await withServer(framing: LineFraming(), configuration: configuration) { connection in
        for try await line in connection.inbound { try await connection.send(line) }
      } body: { server in
        try await withThrowingTaskGroup(of: Void.self) { group in
          // Its reader is off the loop, where the change of a limit meets it on another thread.
          group.addTask {
            try await Connector().withConnection(to: "127.0.0.1", port: server.port) { connection in
              let lines = connection.framed(.lines)
              var limits = ConnectionLimits()
              while !isOver.value {
                limits.message = limits.message == nil ? .seconds(600) : nil
                limits.idle = limits.message
                try connection.set(limits)
                try await lines.send("hello")
                try await lines.send("world")
                guard try await lines.next() == "hello", try await lines.next() == "world" else {
                  throw PeerError.invalid("the echo is another")
                }
              }
            }
          }
          // Lines in pieces, and connections that come and go.
          group.addTask { [port = server.port] in
            try await onThread {
              let peer = try BlockingPeer.connect(port: port)
              while !isOver.value {
                for piece in ["he", "llo\nwor", "ld\n"] { try peer.send(piece) }
                try peer.expectLine("hello")
                try peer.expectLine("world")
                let other = try BlockingPeer.connect(port: port)
                try other.send("x")
                other.close()
              }
              peer.close()
            }
          }
          for round in 0..<Self.rounds {
            var limits = TCPServer.Limits.public
            limits.connectionsPerPeer = round % 2 == 0 ? 1000 : nil
            limits.acceptRate = round % 3 == 0 ? AcceptRate(perSecond: 1_000_000) : nil
            limits.message = round % 5 < 2 ? nil : .seconds(600)
            limits.minimumRate = round % 7 < 3 ? MinimumRate(bytesPerSecond: 1, over: .seconds(600)) : nil
            limits.firstByte = round % 4 == 0 ? nil : .seconds(600)
            limits.idle = round % 6 == 0 ? nil : .seconds(600)
            server.limits = limits
            if round % 10 == 0 { await server.pauseAccepting() }
            server.resumeAccepting()
          }
          isOver.set(true)
          try await group.waitForAll()
        }
      }
    }
    #expect(log.refusals == [])
    #expect(!log.reasons.contains { if case .limit = $0 { true } else { false } })
  }

  @Test("a server that is cancelled at any point of an admission gets every place back (P38)")
  func cancelledAdmission() async throws {
    let sweep = try await sweepCancellation(seed: 6, limit: isSlowRun ? 100_000 : 300) { world in
      let host = world.host("server")
      let server = try await host.run {
        var configuration = TCPServer.Configuration()
        configuration.limits = .public
        return try await TCPServer.bind(on: .any(port: 7), configuration: configuration)
      }
      let result = await Result {
        try await withThrowingTaskGroup { group in
          group.addTask {
            try await server.run(
              framing: .lines,
              admitting: { applicant in
                try await world.sleep(for: .milliseconds(10))
                guard applicant.peerAddress?.host != "10.0.0.3" else {
                  throw TCPServer.Refusal.goodbye("no\n")
                }
                applicant.tag = "guest"
                applicant.options.limits.idle = .seconds(5)
              }
            ) { connection, _ in
              for try await line in connection.inbound { try await connection.send(line) }
            }
          }
          for name in ["welcome", "unwelcome"] {
            try await world.host(name).run {
              try await Connector().withConnection(to: "server", port: 7) { raw in
                let lines = raw.framed(.lines)
                try await lines.send("hello")
                _ = try await lines.next()
              }
            }
          }
          group.cancelAll()
        }
      }
      try check(server.connectionCount == 0, "\(server.connectionCount) places are taken")
      try result.get()
    }
    print(sweep)
    #expect(sweep.cancelled > 0 && sweep.tried > 20)
  }
}

extension Result where Failure == any Error {
  fileprivate init(_ body: () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}
