import AsyncSockets
import Peers
import TCPServer
import TestHarness
import Testing

@Suite("A server whose handlers hold up their loop", .timeLimit(.minutes(4)))
struct LongTurnEventTests {
  @Test("says so in an event that names the connections served in that turn")
  func event() async throws {
    let log = EventLog()
    let clock = ManualClock()
    try await withAuditedLoops(clock: clock) { group in
      try await withServer(framing: LineFraming(), configuration: log.configuration()) { connection in
        for try await line in connection.inbound {
          if line == "slow" { clock.advance(by: .milliseconds(250)) }
          try await connection.send(line)
        }
      } body: { server in
        let (quick, slow) = (try await server.connect(), try await server.connect())
        #expect(try await quick.ask("quick") == "quick")
        // So that nothing before has the same time as the turn.
        clock.advance(by: .milliseconds(10))
        for _ in 0..<4 { await group.loops[0].nextTurn() }
        #expect(try await slow.ask("slow") == "slow")
        try await eventually("it is told") { !log.longTurns.isEmpty }
        let turn = try #require(log.longTurns.first)
        #expect(turn.duration == .milliseconds(250))
        let port = try slow.localPort
        #expect(turn.connections.map(\.peerAddress?.port) == [port])
        #expect("\(TCPServer.Event.longTurn(turn))".hasSuffix(" took 250 ms; served 127.0.0.1:\(port)"))
        quick.close()
        slow.close()
      }
      // The server has ended, and with it the hook.
      let count = log.longTurns.count
      try await group.loops[0].inTurn { clock.advance(by: .seconds(1)) }
      for _ in 0..<4 { await group.loops[0].nextTurn() }
      #expect(log.longTurns.count == count)
    }
  }
}

extension EventLoop {
  /// Runs `body` in one job of the loop.
  fileprivate func inTurn(_ body: @Sendable () -> Void) async throws { body() }
}
