import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

@Suite("What a test server leaves behind: nothing", .timeLimit(.minutes(2)))
struct FixtureEndTests {
  private static let behaviours: [(String, TestServer<RawFraming>.Behaviour)] = [
    ("echo", .echo), ("discard", .discard), ("chargen", .chargen), ("silent", .silent), ("refuse", .refuse),
    ("black hole", .blackHole), ("handler", .handler { peer in for try await _ in peer.inbound {} }),
    ("stuck handler", .handler { peer in try await peer.loop.sleep(for: .seconds(3600)) }),
  ]

  @Test(
    "its loops hold nothing in the end, though clients are still connected, and time stands still",
    arguments: behaviours.indices, [false, true])
  func nothingIsLeft(index: Int, isThrowing: Bool) async throws {
    struct Mine: Error {}
    var client: BlockingPeer?
    do {
      try await withAuditedLoops(clock: ManualClock()) { _ in
        let (name, behaviour) = Self.behaviours[index]
        try await withTestServer(behaviour) { server in
          if name != "refuse", name != "black hole" {
            client = try await server.connect()
            try await server.waitForClients(1)
          }
          if isThrowing { throw Mine() }
        }
      }
      #expect(!isThrowing)
    } catch is Mine {
      #expect(isThrowing)
    }
    if let client { _ = try await client.rest() }
  }

  @Test("a cancelled test ends its server, its clients and its scripts", arguments: behaviours.indices)
  func cancelled(index: Int) async throws {
    try await withAuditedLoops(clock: ManualClock()) { group in
      await withTaskGroup(of: Void.self) { tasks in
        let started = Latch()
        tasks.addTask {
          let (name, behaviour) = Self.behaviours[index]
          await #expect(throws: CancellationError.self) {
            try await withTestServer(behaviour) { server in
              let client = name == "refuse" || name == "black hole" ? nil : try await server.connect()
              defer { client?.close() }
              started.open()
              try await server.loop.sleep(for: .seconds(3600))
            }
          }
        }
        _ = await started.wait(on: group.loops[0])
        tasks.cancelAll()
      }
    }
  }

  @Test("the port is free in the end, and refused", .standingClock)
  func portIsFree() async throws {
    let host = "127.\(Int.random(in: 1...254)).\(Int.random(in: 1...254)).9"
    let address = try await withTestServer(.echo, on: [try SocketAddress(host: host, port: 0)]) { server in
      let client = try await server.connect(host: host)
      #expect(try await client.ask("hello") == "hello")
      client.close()
      return server.addresses[0]
    }
    await #expect(throws: SocketError.self) { try await Connection.connect(to: address).close() }
    try await withTestServer(.echo, on: [address]) { #expect($0.addresses == [address]) }
  }

  @Test("a client of ours that the test left open fails it, by its name")
  func leakedClient() async throws {
    var leaked: Connection?
    let error = await #expect(throws: ResourcesLeaked.self) {
      try await withTestServer(.echo) { server in
        leaked = try await Connection.connect(to: server.addresses[0])
      }
    }
    let port = try #require(leaked?.peerAddress?.port)
    #expect(text(error).contains("the test has ended, and has left open"))
    #expect(text(error).contains("127.0.0.1:\(port)"))
    leaked?.abort()
  }

  @Test("a client of ours that the test dropped fails it too")
  func droppedClient() async throws {
    var port: UInt16 = 0
    let error = await #expect(throws: ResourcesLeaked.self) {
      try await withTestServer(.echo) { server in
        port = server.port
        _ = try await Connection.connect(to: server.addresses[0])
      }
    }
    #expect(text(error) == "1 connection dropped without close() or abort(): with 127.0.0.1:\(port)")
  }

  @Test(
    "a handler's error fails the test with the transcript, its own connection's end does not", .standingClock)
  func handlers() async throws {
    let handler = TestServer<LineFraming>.Behaviour.handler { peer in
      for try await line in peer.inbound { try await peer.send(line) }
    }
    try await withTestServer(handler, framing: .lines) { server in
      let client = try await server.connect()
      #expect(try await client.ask("hello") == "hello")
      try client.reset()
      #expect(try await server.story().last == "disconnected 1")
    }
    let error = await #expect(throws: ExpectationFailure.self) {
      try await withTestServer(handler, framing: .lines) { server in
        let client = try await server.connect()
        try client.send([0xff, 10])
        _ = try await client.rest()
      }
    }
    #expect(problem(error) == "its handler threw: invalid UTF-8 at offset 0")
    #expect(text(error).contains("received  \"\\xFF\\n\""))
  }

  @Test("bad settings are refused before anything is opened")
  func settings() async throws {
    await #expect(throws: SocketError.self) { try await withTestServer(.echo, on: []) { _ in } }
    await #expect(throws: SocketError.self) { try await withTestServer(.echo, patience: .zero) { _ in } }
    var options = ConnectionOptions()
    options.limits.idle = .zero
    await #expect(throws: SocketError.self) { try await withTestServer(.echo, connection: options) { _ in } }
  }
}
