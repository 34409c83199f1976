import MultiClient
import TCPServer
import TestHarness
import Testing

@Suite("Many connections to one server", .timeLimit(.minutes(2)))
struct EchoTests {
  @Test("scenario I1: 30 send a line of their own each, get it back and close; the run ends by itself")
  func thirty() async throws {
    try await withAuditedLoops { _ in
      try await withServer(echo) { server in
        let outcomes = await MultiClient<Asker>(framing: .lines).run(
          Array(repeating: server.address, count: 30)
        ) { _ in
          Asker(question: String(decoding: (0..<200).map { _ in UInt8.random(in: 33...122) }, as: UTF8.self))
        }.all()
        #expect(outcomes.count == 30)
        #expect(Set(outcomes.map(\.id)).count == 30)
        for outcome in outcomes {
          #expect(outcome.result == .finished(.closed))
          #expect(outcome.handler.lines == [outcome.handler.question])
          #expect(outcome.handler.reasons == [.closed])
          #expect(outcome.counters.bytesRead == 201)
          #expect(outcome.framesReceived == 1)
          #expect(outcome.peerAddress == server.address)
          #expect(outcome.connectLatency != nil)
        }
      }
    }
  }

  @Test("scenario I4: a refused target has one outcome, and its handler is told once, with its state")
  func refused() async throws {
    try await withSimulation { world in
      let address = world.host("nobody").address.withPort(7)
      let outcomes = await MultiClient<Asker>(framing: .lines).run([address]) { _ in
        Asker(question: "is anybody there?")
      }.all()
      let refused = Errno(rawValue: 111)
      #expect(outcomes.count == 1)
      #expect(outcomes[0].result == .failed(.failed(refused, call: "connect", address: address)))
      #expect(outcomes[0].target == .address(address))
      #expect(outcomes[0].handler.question == "is anybody there?")
      #expect(outcomes[0].handler.reasons == [.failed(refused, call: "connect")])
      #expect(!outcomes[0].handler.wasConnected)
    }
  }
}
