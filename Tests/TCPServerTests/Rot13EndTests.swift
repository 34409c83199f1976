import Glibc
import Peers
import TestHarness
import Testing

@Suite("rot13 when it is told to end", .serialized, .timeLimit(.minutes(4)))
struct Rot13EndTests {
  @Test(
    "SIGTERM or SIGINT ends it with status 0 within a second, though an idle client is attached",
    arguments: [SIGTERM, SIGINT])
  func idleClient(signal: Int32) async throws {
    // A machine that does other things at the same time may spoil a round.
    var times: [Duration] = []
    for _ in 0..<3 where times.allSatisfy({ $0 >= .seconds(1) }) {
      times.append(try await timeToEnd(signal: signal))
    }
    #expect(try #require(times.last) < .seconds(1), "\(times)")
  }

  private func timeToEnd(signal: Int32) async throws -> Duration {
    try await withRot13 { server in
      let idle = try await server.connect()
      #expect(try await idle.ask("uryyb") == "hello")
      let silent = try await server.connect()
      let start = ContinuousClock.now
      server.process.signal(signal)
      #expect(try await server.process.waitForExit() == .exited(0))
      let time = ContinuousClock.now - start
      try await onThread {
        try idle.expectEnd()
        try silent.expectEnd()
      }
      #expect(server.process.errorOutput == "")
      let output = try await server.process.readToEnd()
      #expect(output == [])
      return time
    }
  }

  @Test("what had arrived before SIGTERM is answered to the last byte")
  func inFlight() async throws {
    let text = (0..<500).map { "line \($0)\n" }.joined()
    try await withRot13 { server in
      // Buffers so small that most of the answer has not left when the signal comes.
      let peers = try await onThread {
        try (0..<5).map { _ in try BlockingPeer.connect(port: server.port, receiveBuffer: 4096) }
      }
      try await onThread { for peer in peers { try peer.send(text) } }
      for peer in peers { try await onThread { try peer.expectLine(rot13("line 0")) } }
      server.process.signal(SIGTERM)
      try await onThread {
        let rest = rot13(String(text.drop { $0 != "\n" }.dropFirst()))
        for peer in peers { try peer.expectEnd(after: rest) }
      }
      #expect(try await server.process.waitForExit() == .exited(0))
    }
  }

  @Test("a second signal while it ends does no harm")
  func twice() async throws {
    try await withRot13 { server in
      let idle = try await server.connect()
      #expect(try await idle.ask("uryyb") == "hello")
      server.process.signal(SIGTERM)
      server.process.signal(SIGINT)
      server.process.signal(SIGTERM)
      #expect(try await server.process.waitForExit() == .exited(0))
      idle.close()
    }
  }

  @Test("a client that never reads does not keep it alive")
  func stuckClient() async throws {
    let line = String(repeating: "x", count: 60_000) + "\n"
    try await withRot13 { server in
      let stuck = try await server.connect(receiveBuffer: 4096)
      let bytes = Array(line.utf8)
      try await onThread {
        var refusals = 0
        var sent = 0
        while refusals < 50 {
          let count = try stuck.sendWithoutWaiting(Array(bytes[(sent % bytes.count)...]))
          sent += count
          if count == 0 {
            refusals += 1
            giveOthersAMoment()
          }
        }
      }
      server.process.signal(SIGTERM)
      // Half a second in good order, one more for what is being sent, and a margin.
      #expect(try await server.process.waitForExit(within: .seconds(5)) == .exited(0))
      stuck.close()
    }
  }
}
