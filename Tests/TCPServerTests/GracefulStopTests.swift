import Framing
import Peers
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("Stopping in good order", .timeLimit(.minutes(4)))
struct GracefulStopTests {
  @Test(
    "scenario G12: a handler drains the server, and what had come in the same segment is still answered")
  func drainFromHandler() async throws {
    let log = EventLog()
    let lines = Shared<[String]>([])
    let door = Door()
    let hasReturned = Shared(false)
    try await withAuditedLoops(count: 2) { _ in
      let server = try await TCPServer.bind(on: .ownLoopback(), configuration: log.configuration())
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await server.run(framing: LineFraming()) { connection in
            for try await line in connection.inbound {
              lines.change { $0.append(line) }
              if line == "stop" { server.beginDrain(deadline: .seconds(200)) }
              try await connection.send(line)
            }
            #expect(connection.isDraining)
            try await door.pass(on: connection.connection.loop)
          }
          hasReturned.set(true)
        }
        let peer = try await server.connect()
        try peer.send("one\nstop\ntwo\nthree\n")
        for line in ["one", "stop", "two", "three"] {
          try await onThread { try peer.expectLine(line) }
        }
        try await untilRefused(server.address)
        #expect(!hasReturned.value)
        #expect(log.reasons == [])
        door.open()
        try await onThread { try peer.expectEnd() }
        peer.close()
        try await group.waitForAll()
      }
    }
    #expect(lines.value == ["one", "stop", "two", "three"])
    #expect(log.reasons == [.drained])
  }

  @Test("scenario G12: a server that only stops accepting goes on with the connections that it has")
  func stopAcceptingFromHandler() async throws {
    let log = EventLog()
    let hasReturned = Shared(false)
    try await withAuditedLoops(count: 2) { _ in
      let server = try await TCPServer.bind(on: .ownLoopback(), configuration: log.configuration())
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await server.run(framing: LineFraming()) { connection in
            for try await line in connection.inbound {
              if line == "stop" { server.stopAccepting() }
              try await connection.send(line)
            }
            #expect(!connection.isDraining)
          }
          hasReturned.set(true)
        }
        let peer = try await server.connect()
        try peer.send("one\nstop\ntwo\n")
        for line in ["one", "stop", "two"] { #expect(try await onThread { try peer.receiveLine() } == line) }
        try await untilRefused(server.address)
        #expect(try await peer.ask("still") == "still")
        #expect(!hasReturned.value)
        peer.close()
        try await group.waitForAll()
      }
    }
    #expect(log.reasons.last == .closedByPeer)
  }

  @Test("a drain loses no reply to a line that had arrived, on any of 50 connections (P70)")
  func nothingInFlightIsLost() async throws {
    let log = EventLog()
    let door = Door()
    let reading = Shared(0)
    let lines = (0..<20).map { "line \($0)" }
    try await withAuditedLoops(count: 2) { _ in
      try await withServer(framing: LineFraming(), configuration: log.configuration()) { connection in
        for try await line in connection.inbound {
          if line == lines[0] {
            reading.increase()
            try await door.pass(on: connection.connection.loop)
          }
          try await connection.send("re: \(line)")
        }
      } body: { server in
        let peers = try await server.connect(count: 50)
        // Some in one segment, others in several, the last line in the midst of the handler's work.
        try await onThread {
          for (number, peer) in peers.enumerated() {
            let bytes = Array(lines.map { $0 + "\n" }.joined().utf8)
            try peer.send(bytes, pieces: number % 2 == 0 ? [] : [3, 50, 40])
          }
        }
        try await eventually("all have begun") { reading.value == 50 }
        server.beginDrain()
        door.open()
        try await onThread {
          for peer in peers {
            try peer.expectEnd(after: lines.map { "re: \($0)\n" }.joined())
            peer.close()
          }
        }
      }
    }
    #expect(log.reasons == Array(repeating: .drained, count: 50))
  }

  @Test("a client whose coming the loop has not heard of yet is served before the listener closes")
  func clientInTheQueue() async throws {
    let clock = try HeldClock()
    try await withAuditedLoops(clock: clock) { loops in
      try await withServer(framing: LineFraming(), handler: echo) { server in
        let first = try await server.connect()
        #expect(try await first.ask("hello") == "hello")
        clock.holdNext(loops.loops[0])
        try first.send("wake up\n")
        try await eventually("the loop has asked the kernel for events") { clock.isHeld }
        let second = try await server.connect()
        try second.send("hello\n")
        server.stopAccepting()
        try clock.release()
        try await onThread {
          try second.expectLine("hello")
          try first.expectLine("wake up")
        }
        first.close()
        second.close()
      }
    }
  }

  @Test("a line that had begun to arrive may be finished during the drain")
  func lineInTheMaking() async throws {
    try await withAuditedLoops { _ in
      try await withServer(framing: LineFraming(), handler: echo) { server in
        let peer = try await server.connect()
        #expect(try await peer.ask("hello") == "hello")
        try peer.send("whole\nha")
        try await onThread { try peer.expectLine("whole") }
        server.beginDrain()
        try peer.send("lf\n")
        try await onThread { try peer.expectEnd(after: "half\n") }
        peer.close()
      }
    }
  }

  @Test("a peer that never stops sending does not keep the server from draining")
  func endlessInput() async throws {
    let log = EventLog()
    // Time stands still: the deadline never comes.
    try await withAuditedLoops(clock: ManualClock()) { _ in
      try await withServer(framing: LineFraming(), configuration: log.configuration(), handler: echo) {
        server in
        let peer = try await server.connect()
        #expect(try await peer.ask("hello") == "hello")
        try peer.send("be")
        server.beginDrain()
        // Each segment ends one line and begins another.
        try await onThread {
          try peer.send("gun\nan")
          try peer.expectLine("begun")
          try peer.expectEnd()
          peer.close()
        }
      }
    }
    #expect(log.reasons == [.drained])
  }

  @Test("an idle connection sees the end of the stream, and its handler the end of its input")
  func idleConnection() async throws {
    try await withAuditedLoops(count: 2) { _ in
      try await withServer(framing: LineFraming()) { connection in
        try await echo(connection)
        try await connection.send("server says goodbye")
      } body: { server in
        let peers = try await server.connect(count: 10)
        for peer in peers { #expect(try await peer.ask("hello") == "hello") }
        server.beginDrain()
        for peer in peers {
          try await onThread { try peer.expectEnd(after: "server says goodbye\n") }
          peer.close()
        }
      }
    }
  }
}
