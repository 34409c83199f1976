import Framing
import Glibc
import Peers
import TCPServer
import TestHarness
import TestSupport
import Testing

/// How long the cost of doing nothing is measured.
private let span = Duration.seconds(2)

@Suite("Doing nothing", .serialized, .timeLimit(.minutes(4)))
struct IdleCostTests {
  @Test("a server whose clients are silent uses at most 10 ms of processor time in 2 s (P07)")
  func silentClients() async throws {
    try await withRot13 { server in
      let port = server.port
      let peers = try await onThread {
        let peers = try (0..<200).map { _ in try BlockingPeer.connect(port: port) }
        for peer in peers { try peer.send("uryyb\n") }
        for peer in peers { try peer.expectLine("hello") }
        return peers
      }
      // Clients that went, in good order and otherwise, are no reason to work either.
      for peer in peers[..<20] { try peer.reset() }
      for peer in peers[20..<40] { peer.close() }
      for peer in peers[40..<60] { try peer.halfClose() }
      for peer in peers[40..<60] { try await onThread { try peer.expectEnd() } }
      let before = try server.facts.processorTime
      try await EventLoopGroup.shared.loops[0].sleep(for: span)
      let used = try server.facts.processorTime - before
      #expect(used <= .milliseconds(10))
      for peer in peers { peer.close() }
    }
  }

  @Test("handlers that do not look at peers who have reset or ended cost nothing meanwhile (P07)")
  func unnoticedEndings() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        let door = Door()
        let started = Shared(0)
        try await withAuditedLoops { loops in
          let server = try await TCPServer.bind(on: .loopback())
          async let running: Void = server.run { connection in
            started.increase()
            try await door.pass(on: connection.loop)
            while try await connection.read() != nil {}
          }
          let peers = try await server.connect(count: 150)
          try await eventually("all are served") { started.value == 150 }
          for peer in peers { try peer.send("unread") }
          for peer in peers[..<50] { try peer.reset() }
          for peer in peers[50..<100] { try peer.halfClose() }
          let before = processorTime()
          try await loops.loops[0].sleep(for: .seconds(1))
          let used = processorTime() - before
          #expect(used <= .milliseconds(10), "\(used)")
          door.open()
          for peer in peers { peer.close() }
          await server.drain()
          try await running
        }
      }
    }
  }
}

/// What this process has used.
private func processorTime() -> Duration {
  var time = timespec()
  unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
}
