import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

@Suite("Who may come to a test server", .timeLimit(.minutes(2)))
struct DoorTests {
  @Test("refuse is a true refusal, on both addresses, until the server resumes", .standingClock)
  func refuse() async throws {
    try await withTestServer(.refuse) { server in
      for host in ["127.0.0.1", "::1"] { #expect(try await server.refuses(host: host)) }
      try await server.resume()
      for host in ["127.0.0.1", "::1"] {
        let client = try await server.connect(host: host)
        let peer = try await server.accept()
        try client.send("x")
        try await peer.expect(bytes: "x")
        client.close()
      }
    }
  }

  @Test("a black hole answers nobody, on both addresses, until the server resumes")
  func blackHole() async throws {
    try await withTestServer(.blackHole, patience: .seconds(60)) { server in
      for address in server.addresses {
        for _ in 0..<3 {
          await #expect(throws: SocketError.timedOut(operation: "connect \(address)")) {
            try await Connection.connect(to: address, deadline: .after(.milliseconds(50))).close()
          }
        }
      }
      try await server.resume()
      let client = try await server.connect()
      _ = try await server.accept()
      client.close()
    }
  }

  @Test("a server refuses and vanishes in the middle of things, and its clients notice nothing")
  func changes() async throws {
    try await withTestServer(.echo, framing: .lines) { server in
      let client = try await server.connect()
      for _ in 0..<3 {
        try await server.refuse()
        #expect(try await server.refuses())
        #expect(try await client.ask("still here") == "still here")
        try await server.blackHole()
        await #expect(throws: SocketError.self) {
          try await Connection.connect(to: server.addresses[0], deadline: .after(.milliseconds(20))).close()
        }
        #expect(try await client.ask("still here") == "still here")
        try await server.resume()
        try await server.resume()
        let other = try await server.connect()
        #expect(try await other.ask("hello") == "hello")
        other.close()
      }
      client.close()
    }
  }

  @Test("a server that has paused lets clients connect, and serves them when it resumes", .standingClock)
  func pause() async throws {
    try await withTestServer(.echo, framing: .lines) { server in
      let early = try await server.connect()
      #expect(try await early.ask("early") == "early")
      try await server.pauseAccepting()
      try await server.pauseAccepting()
      let late = try await server.connect()
      try late.send("late\n")
      for _ in 0..<10 { #expect(try await early.ask("early") == "early") }
      #expect(server.clientCount == 1)
      try await server.resume()
      #expect(try await late.lines(1) == ["late"])
      #expect(server.clientCount == 2)
      early.close()
      late.close()
    }
  }

  @Test("a test that ends while its server has paused resets who waits", .standingClock)
  func endInPause() async throws {
    let client = try await withTestServer(framing: .lines) { peer in
      try await peer.expect("the first")
    } body: { server in
      let first = try await server.connect()
      try first.send("the first\n")
      first.close()
      try await server.waitForClients(1)
      try await server.pauseAccepting()
      return try await server.connect()
    }
    #expect(try await client.rest().ending == .reset)
  }

  @Test("a server that refuses cannot pause, and says what to do", .standingClock)
  func pauseClosed() async throws {
    try await withTestServer(.refuse) { server in
      let error = await #expect(throws: SocketError.self) { try await server.pauseAccepting() }
      #expect(text(error).contains("resume() it first"))
    }
  }

  @Test("a restart resets everybody and listens on the same port", .standingClock, arguments: [0, 1, 2, 3])
  func restart(from door: Int) async throws {
    try await withTestServer(.echo, framing: .lines) { server in
      let client = try await server.connect()
      #expect(try await client.ask("before") == "before")
      switch door {
      case 1: try await server.pauseAccepting()
      case 2: try await server.refuse()
      case 3: try await server.blackHole()
      default: break
      }
      try await server.restart()
      #expect(try await client.rest().ending == .reset)
      let other = try await server.connect()
      #expect(try await other.ask("after") == "after")
      other.close()
    }
  }

  @Test(
    "scenario J16: a server whose port is lost to another listens as soon as that has left", .standingClock)
  func restartAfterFailure() async throws {
    try await withTestServer(.echo, framing: .lines) { server in
      try await server.refuse()
      // What a test server's own hold on its port allows: another that shares the address before it listens.
      let loop = server.loop
      let thief = try Listener.bind(to: server.addresses, on: loop)
      let error = await #expect(throws: SocketError.self) { try await server.restart() }
      #expect(text(error).contains("EADDRINUSE"))
      for listener in thief { listener.close() }
      try await server.restart()
      let client = try await server.connect()
      #expect(try await client.ask("back") == "back")
      client.close()
    }
  }

  @Test("nobody else gets the port while the server refuses", .standingClock)
  func portIsHeld() async throws {
    try await withTestServer(.refuse) { server in
      let others = try (0..<200).map { _ in try BlockingListener() }
      #expect(others.allSatisfy { $0.port != server.port })
      for other in others { other.close() }
      #expect(try await server.refuses())
    }
  }
}
