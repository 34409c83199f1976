import AsyncSockets
import Framing
import Peers
import TCPServer
import TestHarness
import Testing

@Suite("What a server shows of itself", .timeLimit(.minutes(4)))
struct ObservationTests {
  @Test("the totals count every connection and every byte, of those that live and of those that have ended")
  func totals() async throws {
    try await withAuditedLoops(count: 2) { _ in
      let server = try await withServer(framing: LineFraming()) { connection in
        for try await line in connection.inbound {
          if line == "throw" { throw Unexpected(description: "as asked") }
          try await connection.send(line + line)
        }
      } body: { server in
        #expect(server.totals.description == "0 accepted, 0 refused, 0 ended, 0 bytes in, 0 out")
        let peers = try await server.connect(count: 4)
        for peer in peers { #expect(try await peer.ask("12345") == "1234512345") }
        #expect(server.totals.accepted == 4)
        #expect(server.totals.ended == [:])
        #expect(server.totals.bytesRead == 24)
        #expect(server.totals.bytesWritten == 44)
        peers[0].close()
        try peers[1].send("throw\n")
        try await onThread { try peers[1].expectEnd() }
        peers[1].close()
        try await eventually("two have ended") { server.totals.ended.values.reduce(0, +) == 2 }
        #expect(server.totals.ended == [.closedByPeer: 1, .handlerThrew: 1])
        #expect(server.totals.bytesRead == 30)
        #expect(server.totals.bytesWritten == 44)
        server.beginDrain()
        for peer in peers[2...] { peer.close() }
        return server
      }
      #expect(server.totals.accepted == 4)
      #expect(server.totals.ended[.handlerThrew] == 1)
      #expect(server.totals.ended.values.reduce(0, +) == 4)
      #expect(server.totals.bytesRead == 30)
      #expect(server.totals.description.hasPrefix("4 accepted, 0 refused, 4 ended ("))
      #expect(server.totals.description.hasSuffix("1 handlerThrew), 30 bytes in, 44 out"))
    }
  }

  @Test("a snapshot has the state of the server, and of each connection what it waits for and has moved")
  func snapshot() async throws {
    let clock = ManualClock()
    let door = Latch()
    try await withAuditedLoops(clock: clock) { _ in
      let server = try await TCPServer.bind(on: .ownLoopback())
      #expect(server.snapshot.state == .bound)
      async let running: Void = server.run(framing: LineFraming()) { connection in
        guard try await connection.next() == "busy" else { return }
        // Takes no notice of its cancellation.
        _ = await door.wait(on: connection.loop, isCancellable: false)
      }
      let peers = try await server.connect(count: 2)
      try peers[1].send("busy\n")
      clock.advance(by: .seconds(90))
      try await eventually("one reads, the other does not") {
        let waits = server.snapshot.connections.map(\.waits)
        return waits.count == 2 && waits.contains([.read]) && waits.contains([])
          && server.totals.bytesRead == 5
      }
      let snapshot = server.snapshot
      #expect(snapshot.state == .accepting)
      #expect(snapshot.addresses == server.addresses)
      #expect(snapshot.totals.accepted == 2)
      #expect(
        Set(snapshot.connections.map(\.peerAddress?.port)) == [
          try peers[0].localPort, try peers[1].localPort,
        ])
      let lines = snapshot.description.split(separator: "\n")
      #expect(lines.count == 5)
      #expect(lines[0] == "server on \(server.address): accepting, 2 connected")
      #expect(lines[1] == "2 accepted, 0 refused, 0 ended, 5 bytes in, 0 out")
      #expect(lines[2].hasPrefix("  local "))

      await server.pauseAccepting()
      #expect(server.snapshot.state == .paused)
      server.resumeAccepting()
      #expect(server.snapshot.state == .accepting)
      server.stopAccepting()
      #expect(server.snapshot.state == .stopped)
      server.beginDrain(deadline: .seconds(5))
      #expect(server.snapshot.state == .draining)
      clock.advance(by: .seconds(5))
      try await eventually("the handlers are cancelled") { server.snapshot.state == .cancelled }
      door.open()
      for peer in peers { peer.close() }
      try await running
      #expect(server.snapshot.state == .ended)
      #expect(server.snapshot.connections == [])
    }
  }

  @Test("every reason is counted under its own name")
  func kinds() {
    let reasons: [CloseReason] = [
      .closed, .aborted, .closedByPeer, .reset, .truncated, .limit(.idle), .drained, .cancelled,
      .retargeted, .handlerThrew("so"), .framing("so"), .timedOut, .failed(.brokenPipe, call: "send"),
    ]
    #expect(reasons.map(\.kind) == CloseReason.Kind.allCases)
  }
}
