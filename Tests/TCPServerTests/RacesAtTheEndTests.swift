import Framing
import Peers
import TCPServer
import TestHarness
import Testing

#if THREAD_SANITIZER
  private let rounds = 20
#else
  private let rounds = isSlowRun ? 200 : 50
#endif

#if THREAD_SANITIZER
  private let cancellations = 20
#else
  private let cancellations = isSlowRun ? 10_000 : 100
#endif

@Suite("Connections that come while the server ends", .serialized, .timeLimit(.minutes(30)))
struct RacesAtTheEndTests {
  @Test("64 clients that connect just before the server is cancelled all see the end (P17)")
  func burstAndCancel() async throws {
    let log = EventLog()
    var times: [Duration] = []
    try await withAuditedLoops(count: 2) { _ in
      for _ in 0..<cancellations {
        let server = try await TCPServer.bind(on: .loopback(), configuration: log.configuration())
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await server.run(framing: LineFraming(), echo) }
          let peers = try await server.connect(count: 64)
          group.cancelAll()
          times.append(try await expectEnd(of: peers))
          await #expect(throws: CancellationError.self) { try await group.waitForAll() }
        }
        #expect(server.connectionCount == 0)
      }
    }
    // A machine that is busy with other things may spoil a round.
    #expect(times.sorted()[cancellations / 2] < .seconds(1), "\(times)")
    let slowest = times.max() ?? .zero
    figure(
      "P17", "bursts of 64, all of which saw the end within", "\(times.count), \(slowest.inMilliseconds)")
    #expect(log.accepted.count == log.reasons.count)
    #expect(log.reasons.allSatisfy { $0 == .cancelled })
    #expect(log.failures == [])
  }

  @Test("64 clients that connected before the server stops accepting are all served")
  func burstAndStopAccepting() async throws {
    let log = EventLog()
    try await withAuditedLoops(count: 2) { _ in
      for _ in 0..<rounds {
        let server = try await TCPServer.bind(on: .loopback(), configuration: log.configuration())
        async let running: Void = server.run(framing: LineFraming(), echo)
        let peers = try await server.connect(count: 64)
        server.stopAccepting()
        try await onThread {
          for peer in peers { try peer.send("hello\n") }
          for peer in peers {
            try peer.expectLine("hello")
            peer.close()
          }
        }
        try await running
      }
    }
    #expect(log.reasons == Array(repeating: .closedByPeer, count: rounds * 64))
  }

  @Test("64 clients that had sent a line before the server shuts down all get its answer, then the end")
  func burstAndShutdown() async throws {
    let log = EventLog()
    try await withAuditedLoops(count: 2) { _ in
      for _ in 0..<rounds {
        let server = try await TCPServer.bind(on: .loopback(), configuration: log.configuration())
        async let running: Void = server.run(framing: LineFraming(), echo)
        let peers = try await server.connect(count: 64)
        for peer in peers { try peer.send("hello\n") }
        server.beginDrain()
        try await onThread {
          for peer in peers {
            try peer.expectEnd(after: "hello\n")
            peer.close()
          }
        }
        try await running
      }
    }
    #expect(log.reasons == Array(repeating: .drained, count: rounds * 64))
  }

  @Test("clients that reset while the server shuts down disturb neither it nor the others")
  func resetDuringShutdown() async throws {
    let log = EventLog()
    try await withAuditedLoops(count: 2) { _ in
      for _ in 0..<rounds {
        let server = try await TCPServer.bind(on: .loopback(), configuration: log.configuration())
        async let running: Void = server.run(framing: LineFraming(), echo)
        let peers = try await server.connect(count: 32)
        for peer in peers { try peer.send("hello\n") }
        async let resetting: Void = onThread {
          for peer in peers where try peer.localPort % 2 == 0 { try peer.reset() }
        }
        server.beginDrain()
        try await resetting
        try await onThread {
          for peer in peers where peer.descriptor >= 0 {
            try peer.expectEnd(after: "hello\n")
            peer.close()
          }
        }
        try await running
      }
    }
    #expect(log.failures == [])
    #expect(log.accepted.count == log.reasons.count)
  }

  /// Each sees an orderly end or a reset; how long that took.
  private func expectEnd(of peers: [BlockingPeer]) async throws -> Duration {
    try await onThread {
      let start = ContinuousClock.now
      for peer in peers {
        try peer.expectNothing()
        peer.close()
      }
      return ContinuousClock.now - start
    }
  }
}
