import AsyncSockets
import Peers
import TestHarness
import Testing

@Suite("A fault proxy over real sockets", .standingClock, .timeLimit(.minutes(2)))
struct RealFaultProxyTests {
  @Test("a client that is not ours meets faults before a server that is not ours")
  func somebodys() async throws {
    let listener = try BlockingListener()
    try await withFaultProxy(to: .loopback(port: listener.port)) { proxy in
      let port = proxy.address.port ?? 0
      let fault = try proxy.add(.corrupt(share: 1), direction: .upstream)
      let (client, server) = try await onThread {
        let client = try BlockingPeer.connect(port: port)
        return (client, try listener.accept())
      }
      let wrong = try await onThread {
        try client.send([0, 0, 0])
        return try server.receive(exactly: 3)
      }
      #expect(wrong.allSatisfy { $0.nonzeroBitCount == 1 })
      fault.remove()
      let right = try await onThread {
        try client.send("hello")
        return try server.receive(exactly: 5)
      }
      #expect(right == Array("hello".utf8))
      try proxy.add(.limitData(4))
      let (bytes, ending) = try await onThread {
        try server.send("goodbye")
        return try client.receiveToEnding()
      }
      #expect(bytes == Array("good".utf8))
      #expect(ending == .end)
      client.close()
      server.close()
    }
  }

  @Test("latency follows the clock of the loop, which a test may move")
  func manualClock() async throws {
    let clock = ManualClock()
    try await withAuditedLoops(clock: clock) { loops in
      try await withTestServer(.echo) { server in
        try await withFaultProxy(to: server.addresses[0]) { proxy in
          let client = try await Connection.connect(to: proxy.address)
          try await client.send("ready?")
          #expect(try await client.read(exactly: 6) == Array("ready?".utf8))
          // From here on the only deadline is the fault's.
          try await eventually("connecting is over") { loops.loops[0].census.deadlines == 0 }
          try proxy.add(.latency(.seconds(60)))
          try await client.send("hello")
          try await eventually("the answer is on its way") { loops.loops[0].census.deadlines > 0 }
          clock.advance(by: .seconds(60))
          #expect(try await client.read(exactly: 5) == Array("hello".utf8))
          client.abort()
        }
      }
    }
  }
}
