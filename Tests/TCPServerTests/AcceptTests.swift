import Framing
import Peers
import TCPServer
import TestHarness
import Testing

@Suite("Accepting", .timeLimit(.minutes(4)))
struct AcceptTests {
  @Test("scenario F16: five clients of a listener with a backlog of five are five connections")
  func fiveClients() async throws {
    let log = EventLog()
    try await withAuditedLoops { _ in
      let configuration = log.configuration { $0.backlog = 5 }
      let server = try await TCPServer.bind(on: .loopback(), configuration: configuration)
      // All of them wait before the first is accepted.
      let peers = try await server.connect(count: 5)
      try await withRunning(server, framing: LineFraming(), handler: echo) { _ in
        for peer in peers { #expect(try await peer.ask("hello") == "hello") }
        for peer in peers { peer.close() }
        try await log.untilClosed(5)
      }
      #expect(log.accepted.count == 5)
    }
    #expect(log.reasons == Array(repeating: .closedByPeer, count: 5))
  }

  @Test("scenario F19: after 1,000 connections the process has the descriptors that it had before")
  func sameDescriptors() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        try await expectingNothingLeft { _ in
          try await withAuditedLoops(count: 2) { _ in
            try await withServer(framing: LineFraming(), handler: echo) { server in
              let port = server.port
              try await onThread {
                for number in 0..<1000 {
                  let peer = try BlockingPeer.connect(port: port)
                  try peer.send("\(number)\n")
                  try peer.expectLine("\(number)")
                  peer.close()
                }
              }
            }
          }
        }
      }
    }
  }

  @Test("scenario G16: clients that reset before they are accepted disturb nobody (P12)")
  func resetInTheBacklog() async throws {
    let log = EventLog()
    try await withAuditedLoops { _ in
      let server = try await TCPServer.bind(on: .loopback(), configuration: log.configuration())
      try await onThread { [port = server.port] in
        for _ in 0..<200 { try BlockingPeer.connect(port: port).reset() }
      }
      try await withRunning(server, framing: LineFraming(), handler: echo) { server in
        let healthy = try await server.connect()
        #expect(try await healthy.ask("hello") == "hello")
        // And once more with the acceptor at work.
        try await onThread { [port = server.port] in
          for _ in 0..<200 {
            try BlockingPeer.connect(port: port).reset()
            try healthy.send("still here\n")
            try healthy.expectLine("still here")
          }
        }
        healthy.close()
        try await log.untilClosed(log.accepted.count)
      }
    }
    #expect(log.failures == [])
    figure(
      "P12", "resets in the backlog, and handlers that were started for them",
      "400, \(log.accepted.count - 1)")
    let others = log.reasons.filter { $0 != .reset }
    #expect(others == [.closedByPeer], "the healthy one alone ended otherwise")
    #expect(log.reasons.count == log.accepted.count)
  }

  @Test(
    "a burst of connections is served in the order in which they came, one loop or two", arguments: [1, 2])
  func burst(loops: Int) async throws {
    let log = EventLog()
    try await withAuditedLoops(count: loops) { _ in
      let server = try await TCPServer.bind(on: .loopback(), configuration: log.configuration())
      let peers = try await server.connect(count: 300)
      let ports = try peers.map { try $0.localPort }
      try await withRunning(server, framing: LineFraming(), handler: echo) { _ in
        try await onThread {
          for peer in peers { try peer.send("hello\n") }
          for peer in peers { try peer.expectLine("hello") }
          for peer in peers { peer.close() }
        }
        try await log.untilClosed(300)
      }
      #expect(Set(log.accepted) == Set(ports))
      if loops == 1 { #expect(log.accepted == ports) }
    }
    #expect(log.reasons == Array(repeating: .closedByPeer, count: 300))
  }
}
