import Framing
import Peers
import TestHarness
import Testing

@Suite("Scripted peers", .standingClock, .timeLimit(.minutes(2)))
struct ScriptTests {
  /// Runs a script against a client, and returns the report of its failure.
  private func reportOf(
    patience: Duration = .seconds(5),
    script: @escaping @Sendable (TestPeer<LineFraming>) async throws -> Void,
    client: @escaping (BlockingPeer, TestServer<LineFraming>) async throws -> Void
  ) async throws -> String {
    let error = await #expect(throws: ExpectationFailure.self) {
      try await withTestServer(framing: .lines, patience: patience, script: script) { server in
        let peer = try await server.connect()
        try await client(peer, server)
        // After a reset there is nothing to read from.
        _ = try? await peer.rest()
        peer.close()
      }
    }
    return text(error)
  }

  @Test("a script that is kept passes")
  func kept() async throws {
    try await withTestServer(framing: .lines) { peer in
      try await peer.send("+OK ready")
      try await peer.expect("QUIT")
      try await peer.send("+OK bye")
      try await peer.expectEnd()
    } body: { server in
      let client = try await server.connect()
      #expect(try await client.lines(1) == ["+OK ready"])
      #expect(try await client.ask("QUIT") == "+OK bye")
      client.close()
    }
  }

  @Test("a line that is not the expected one fails the test, with the difference and the transcript")
  func mismatch() async throws {
    var port: UInt16 = 0
    var line = 0
    let report = try await withAuditedLoops(clock: ManualClock()) { _ in
      line = #line + 3
      return try await reportOf { peer in
        try await peer.send("+OK ready")
        try await peer.expect("QUIT")
      } client: { client, _ in
        port = try client.localPort
        let greeting = try await client.lines(1)
        #expect(greeting == ["+OK ready"])
        try client.send("QUTI\r\n")
      }
    }
    let expected = """
      FixtureTests/ScriptTests.swift:\(line): client 1 at 127.0.0.1:\(port): expected "QUIT", but "QUTI" came
        expected  "QUIT"
                  51 55 49 54
        received  "QUTI"
                     ^ byte 2
                  51 55 54 49
      transcript:
        0.000 s  sent      "+OK ready\\n"
                           2B 4F 4B 20 72 65 61 64 79 0A
        0.000 s  received  "QUTI\\r\\n"
                           51 55 54 49 0D 0A
      """
    #expect(report == expected)
  }

  @Test("silence fails an expectation at its deadline, which shows how much of a frame came")
  func deadline() async throws {
    let clock = ManualClock()
    try await withAuditedLoops(clock: clock) { group in
      let report = try await reportOf { peer in
        try await peer.expect("QUIT", within: .seconds(7))
      } client: { client, server in
        try client.send("QU")
        try await eventually("it waits for the rest") {
          let entries = server.peer(1)?.transcript.entries.count
          return entries == 1 && group.loops[0].census.deadlines == 1
        }
        clock.advance(by: .seconds(6))
        clock.advance(by: .seconds(1))
      }
      #expect(report.contains(#"expected "QUIT", but only "QU" came within 7.0 seconds"#))
      #expect(report.hasSuffix("  0.000 s  received  \"QU\"\n                     51 55"))
    }
  }

  @Test("an end, a reset, bytes that are no frame: each is told for what it is", arguments: 0..<4)
  func otherwise(way: Int) async throws {
    let report = try await reportOf { peer in
      try await peer.expect("QUIT")
    } client: { client, server in
      // Whoever is reset before gets no script.
      try await eventually("the script plays") { server.peer(1) != nil }
      switch way {
      case 0: try client.halfClose()
      case 1:
        try client.send("QUI")
        try client.halfClose()
      case 2: try client.reset()
      default: try client.send([0xff, 10])
      }
    }
    let problem = [
      #"expected "QUIT", but the stream ended"#, #"expected "QUIT", but "QUI" came"#,
      #"expected "QUIT", but the connection was reset"#,
      #"expected "QUIT", but "\xFF\n" came, which is no frame: invalid UTF-8 at offset 0"#,
    ][way]
    #expect(report.contains(problem), "\(report)")
  }

  @Test("bytes are expected across frames and reads, and fail at the first that differs")
  func bytes() async throws {
    try await withTestServer(framing: .lines) { peer in
      try await peer.expect(bytes: "*1\r\n$4")
      try await peer.expect("")
      try await peer.expect(bytes: [0x50, 0x49])
      try await peer.expect("NG")
      try await peer.expectEnd()
    } body: { server in
      let client = try await server.connect()
      try client.send(Array("*1\r\n$4\r\nPING\r\n".utf8), pieces: [1, 2, 5])
      client.close()
    }
    let report = try await reportOf { peer in
      try await peer.expect(bytes: String(repeating: "abc", count: 20) + "D" + "e")
    } client: { client, _ in
      try client.send(String(repeating: "abc", count: 20) + "d")
    }
    #expect(report.contains("  expected  …\"cabcabcabcabcabcDe\"\n"), "\(report)")
    #expect(
      report.contains(
        "  received  …\"cabcabcabcabcabcd\"\n" + String(repeating: " ", count: 30) + "^ byte 60"))
  }

  @Test("the end is expected with nothing before it")
  func end() async throws {
    let report = try await reportOf { peer in
      try await peer.expectEnd()
    } client: { client, _ in
      try client.send("one more thing")
    }
    #expect(report.contains(#"expected the end of the stream, but "one more thing" came"#))
  }

  @Test("silence is what it is called: neither a byte nor the end comes", arguments: [true, false])
  func silence(isKept: Bool) async throws {
    let clock = ManualClock()
    try await withAuditedLoops(clock: clock) { group in
      let script: @Sendable (TestPeer<LineFraming>) async throws -> Void = { peer in
        try await peer.expectSilence(for: .seconds(60))
        try await peer.send("thanks")
      }
      func play(_ server: TestServer<LineFraming>) async throws {
        let client = try await server.connect()
        if isKept {
          try await eventually("it listens") { group.loops[0].census.deadlines == 1 }
          clock.advance(by: .seconds(60))
          let lines = try await client.lines(1)
          #expect(lines == ["thanks"])
        } else {
          try client.send("!")
          _ = try await client.rest()
        }
        client.close()
      }
      if isKept {
        try await withTestServer(framing: .lines, script: script, body: play)
      } else {
        let error = await #expect(throws: ExpectationFailure.self) {
          try await withTestServer(framing: .lines, script: script, body: play)
        }
        #expect(problem(error) == #"expected silence for 60.0 seconds, but "!" came"#)
      }
    }
  }

  @Test("a condition and a reset can be expected")
  func conditions() async throws {
    try await withTestServer(framing: .lines) { peer in
      let line = try await peer.expect("a login") { $0.hasPrefix("USER ") }
      try await peer.send("welcome, \(line.dropFirst(5))")
      try await peer.expectReset()
    } body: { server in
      let client = try await server.connect()
      #expect(try await client.ask("USER me") == "welcome, me")
      try client.reset()
    }
    let report = try await reportOf { peer in
      try await peer.expect("a login") { $0.hasPrefix("USER ") }
    } client: { client, _ in
      try client.send("LOGIN me\n")
    }
    #expect(report.contains(#"expected "a login", but "LOGIN me" came"#))
  }

  @Test("a script's failure cancels a body that hangs, and is what is thrown")
  func hangingBody() async throws {
    struct Secondary: Error {}
    let error = await #expect(throws: ExpectationFailure.self) {
      try await withTestServer(framing: .lines) { peer in
        try await peer.expect("HELLO")
      } body: { server in
        let client = try await server.connect()
        try client.send("HULLO\n")
        do { try await server.loop.sleep(for: .seconds(3600)) } catch { throw Secondary() }
      }
    }
    #expect(problem(error) == #"expected "HELLO", but "HULLO" came"#)
  }

  @Test("a script's failure ends the connections of a client that only waits, so that it comes back")
  func waitingClient() async throws {
    await #expect(throws: ExpectationFailure.self) {
      try await withTestServer(framing: .lines) { peer in
        guard peer.id == 2 else { return try await peer.expectEnd(within: .seconds(3600)) }
        try await peer.expect("HELLO")
      } body: { server in
        let waiting = try await server.connect()
        try await server.waitForClients(1)
        let failing = try await server.connect()
        try failing.send("HULLO\n")
        _ = try await waiting.rest()
      }
    }
  }

  @Test("a body that throws is heard, whatever becomes of the script")
  func throwingBody() async throws {
    struct Mine: Error {}
    var client: BlockingPeer?
    await #expect(throws: Mine.self) {
      try await withTestServer(framing: .lines) { peer in
        try await peer.expect("HELLO")
      } body: { server in
        client = try await server.connect()
        try await server.waitForClients(1)
        throw Mine()
      }
    }
    client?.close()
  }

  @Test("a body and a script that fail together are both in the report")
  func bothFail() async throws {
    struct Mine: Error {}
    let error = await #expect(throws: ExpectationFailure.self) {
      try await withTestServer(framing: .lines) { peer in
        try await peer.expect("HELLO")
      } body: { server in
        let client = try await server.connect()
        try client.send("HULLO\n")
        _ = try await client.rest()
        throw Mine()
      }
    }
    #expect(text(error).contains(#"expected "HELLO", but "HULLO" came"#))
    #expect(text(error).hasSuffix("\nthe test's body threw: Mine()"))
  }

  @Test(
    "a script that nobody comes to play fails the test, and so does what is left of one when the body is over"
  )
  func unplayed() async throws {
    let nobody = await #expect(throws: ExpectationFailure.self) {
      try await withTestServer(framing: .lines) { _ in
      } body: { _ in
      }
    }
    #expect(problem(nobody).hasSuffix("no client came to play its script"))
    let report = try await reportOf { peer in
      try await peer.expect("HELLO")
      try await peer.send("HELLO")
      try await peer.expect("QUIT")
    } client: { client, _ in
      #expect(try await client.ask("HELLO") == "HELLO")
      try client.halfClose()
    }
    #expect(report.contains(#"expected "QUIT", but the stream ended"#))
  }

  @Test("an error of a script's own is in the report, and can be had")
  func ownError() async throws {
    struct Mine: Error {}
    let error = await #expect(throws: ExpectationFailure.self) {
      try await withTestServer(framing: .lines) { peer in
        try await peer.expect("hello")
        throw Mine()
      } body: { server in
        let client = try await server.connect()
        try client.send("hello\n")
        _ = try await client.rest()
      }
    }
    #expect(error?.underlying is Mine)
    #expect(text(error).hasPrefix("client 1 at 127.0.0.1:"))
    #expect(text(error).contains(": its script threw: Mine()\ntranscript:"))
  }

  @Test("clients play their scripts one by one, each with its number")
  func several() async throws {
    try await withTestServer(framing: .lines) { peer in
      try await peer.send("you are number \(peer.id)")
      try await peer.expect("I am number \(peer.id)")
    } body: { server in
      for number in 1...3 {
        let client = try await server.connect()
        #expect(try await client.lines(1) == ["you are number \(number)"])
        try client.send("I am number \(number)\n")
        #expect(try await client.rest().text == "")
        client.close()
      }
    }
  }

  @Test("the test itself can play the server, client by client")
  func byHand() async throws {
    try await withTestServer(framing: .lines) { server in
      let client = try await server.connect()
      async let answer = client.ask("hello")
      let peer = try await server.accept()
      try await peer.expect("hello")
      try await peer.send("world")
      #expect(try await answer == "world")
      client.close()
      try await peer.expectEnd()
      await peer.close()
      #expect(peer.info.closeReason == .closedByPeer)
    }
  }

  @Test("nobody comes: accept says so")
  func nobody() async throws {
    let clock = ManualClock()
    try await withAuditedLoops(clock: clock) { group in
      try await withTestServer { server in
        async let peer = server.accept(within: .seconds(3))
        try await eventually("it waits") { group.loops[0].census.deadlines == 1 }
        clock.advance(by: .seconds(3))
        do {
          _ = try await peer
          Issue.record("somebody came")
        } catch let error as ExpectationFailure {
          #expect(error.problem.hasSuffix("expected a client within 3.0 seconds, but 0 came"))
        }
      }
    }
  }

  @Test("a codec can be exchanged in the middle, and nothing is lost")
  func switching() async throws {
    try await withTestServer(framing: .lines) { peer in
      try await peer.expect("DATA 4")
      let raw = peer.framed(try FixedLengthFraming(4))
      try await raw.expect(Array("abcd".utf8))
      try await raw.expectEnd()
    } body: { server in
      let client = try await server.connect()
      try client.send("DATA 4\nabcd")
      client.close()
    }
  }

  @Test("a scripted client talks to somebody's server")
  func client() async throws {
    try await withTestServer(.echo) { server in
      try await withTestClient(to: server.addresses[1], framing: .lines) { peer in
        try await peer.send("hello")
        try await peer.expect("hello")
        try await peer.finishWriting()
        try await peer.expectEnd()
      }
      let error = await #expect(throws: ExpectationFailure.self) {
        try await withTestClient(to: server.addresses[0], framing: .lines) { peer in
          try await peer.send("hello")
          try await peer.expect("hallo")
        }
      }
      #expect(
        text(error).contains(
          "server 127.0.0.1:\(server.port): expected \"hallo\", but \"hello\" came"))
    }
  }
}
