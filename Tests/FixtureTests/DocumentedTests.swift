import AsyncSockets
import Framing
import TestHarness
import Testing

// What Docs/Testing.md shows, as it stands there (.ci/check-readme).

struct MyClient {
  var port: UInt16

  func ask(_ question: String) async throws -> String? {
    try await Connector().withConnection(to: .loopback(port: port)) { connection in
      let lines = connection.framed(.lines)
      try await lines.send(question)
      return try await lines.next()
    }
  }
}

struct ImpatientClient {
  var port: UInt16

  func ask(_ question: String) async throws -> String {
    try await Connector().withConnection(to: .loopback(port: port)) { connection in
      try await connection.framed(.lines).request(question, deadline: .after(.seconds(30)))
    }
  }
}

@Test func anAnswerComesBack() async throws {
  try await withTestServer(.echo) { server in
    let answer = try await MyClient(port: server.port).ask("hello")
    #expect(answer == "hello")
  }
}

@Suite("The documentation of testing", .timeLimit(.minutes(2)))
struct DocumentedTests {
  @Test("a script with a client of its own")
  func scripts() async throws {
    try await withTestServer(framing: .lines) { peer in
      try await peer.send("+OK ready")
      try await peer.expect("QUIT")
      try await peer.send("+OK bye")
      try await peer.expectEnd()
    } body: { server in
      let goodbye = try await withTestClient(to: server.addresses[0], framing: .lines) { peer in
        try await peer.expect("+OK ready")
        try await peer.send("QUIT")
        return try await peer.expectFrame()
      }
      print(goodbye)
    }
  }

  @Test("time that stands still")
  func patience() async throws {
    let clock = ManualClock()
    try await withAuditedLoops(clock: clock) { _ in
      try await withTestServer(framing: .lines, patience: .seconds(60)) { server in
        clock.advance(by: .seconds(3600))  // nothing waits yet, so nothing is late
        print(server.port)
      }
    }
  }

  @Test("a client that gives up on a silent server")
  func timeOut() async throws {
    let clock = ManualClock()
    try await withAuditedLoops(clock: clock) { _ in
      try await withTestServer(framing: .lines) { server in
        async let answer = ImpatientClient(port: server.port).ask("Anybody there?")
        let peer = try await server.accept()
        try await peer.expect("Anybody there?")
        clock.advance(by: .seconds(30))  // counted since before the question went out
        try await peer.expectEnd()
        await peer.close()
        do {
          print(try await answer)
        } catch SocketError.timedOut {
          print("it has given up")
        }
      }
    }
  }

  @Test("a client that gives up, in a simulation")
  func timeOutInSimulation() async throws {
    try await withSimulation { world in
      try await withTestServer(framing: .lines) { server in
        let begin = world.elapsed
        do {
          print(try await ImpatientClient(port: server.port).ask("Anybody there?"))
        } catch SocketError.timedOut {
          print("it has given up after", world.elapsed - begin)
        }
      }
    }
  }

  @Test("a test that plays the server")
  func byHand() async throws {
    try await withTestServer(framing: .lines) { server in
      async let answer = MyClient(port: server.port).ask("How many?")
      let peer = try await server.accept()
      try await peer.expect("How many?")
      try await peer.send("Three.")
      try await peer.expectEnd()
      await peer.close()
      print(try await answer ?? "", peer.info, peer.transcript)
    }
  }

  @Test("a server that is told what to do")
  func fromOutside() async throws {
    try await withTestServer(.discard, framing: .lines) { server in
      let client = try await Connection.connect(to: server.addresses[0])
      try await server.waitForClients(1)

      try await server.send("one", to: 1)
      try await server.send(contentsOf: ["two", "three"], to: 1)
      try await server.broadcast("to everybody")
      print(server.clients, server.info(of: 1)?.peerAddress ?? "gone")
      server.terminate(1)  // a reset
      await server.disconnect(1)  // after what is pending; false here, since it has gone

      try await server.pauseAccepting()  // who connects now waits
      try await server.refuse()  // who connects now is refused
      try await server.blackHole()  // who connects now hears nothing
      try await server.resume()
      try await server.restart()  // everybody is reset, as when a process dies and comes back
      await client.close()
    }
  }

  @Test("events")
  func events() async throws {
    try await withTestServer(.echo, framing: .lines) { server in
      _ = try await MyClient(port: server.port).ask("hello")
      for await event in server.events {
        switch event {
        case .input(let client, let line): print(client.id, line)
        case .disconnected(let client): print(client, client.closeReason ?? .closed)
        default: continue
        }
        if case .disconnected = event { break }
      }
    }
  }

  @Test("a scripted client")
  func somebodyElsesServer() async throws {
    try await withTestServer(.chargen) { server in  // or a server of your own
      try await withTestClient(to: server.addresses[0], framing: try LineFraming("\r\n")) { peer in
        try await peer.expect("a line of 72 characters") { $0.count == 72 }
        peer.terminate()
      }
    }
  }

  @Test("a conversation, recorded, replayed and compared")
  func conversations() async throws {
    let recorded = try await withTestServer(.echo) { real in
      try await withTestClient(to: real.addresses[0], framing: .lines) { peer in
        try await peer.send("hello")
        try await peer.expect("hello")
        try await peer.finishWriting()
        try await peer.expectEnd()
        return try peer.transcript.conversation
      }
    }
    print(recorded)
    try await withTestServer(.replay(recorded.fromTheOtherEnd)) { server in
      _ = try await MyClient(port: server.port).ask("hello")
    }
    let golden = try Conversation(
      #"""
      sent "hello\n"
      received "hello\n"
      finished
      ended
      """#)
    try recorded.expect(golden)
  }
}
