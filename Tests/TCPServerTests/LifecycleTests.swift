import Framing
import Peers
import TCPServer
import TestHarness
import Testing

@Suite("The life of a server", .timeLimit(.minutes(4)))
struct LifecycleTests {
  @Test("clients may connect as soon as bind has returned, and are served once run begins")
  func bindListens() async throws {
    try await withAuditedLoops { _ in
      let server = try await TCPServer.bind(on: .ownLoopback())
      let peer = try await server.connect()
      try peer.send("early\n")
      try await withRunning(server, framing: LineFraming(), handler: echo) { _ in
        let line = try await onThread { try peer.receiveLine() }
        #expect(line == "early")
        peer.close()
      }
    }
  }

  @Test("serve listens and runs in one, and ends with its task")
  func serve() async throws {
    let log = EventLog()
    try await withAuditedLoops { _ in
      let free = try await TCPServer.bind(on: .ownLoopback())
      await free.drain()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await TCPServer.serve(
            on: free.address, framing: LineFraming(), configuration: log.configuration(), echo)
        }
        while try await isRefused(free.address) {}
        let peer = try await free.connect()
        #expect(try await peer.ask("hello") == "hello")
        group.cancelAll()
        try await onThread { try peer.expectNothing() }
        peer.close()
        await #expect(throws: CancellationError.self) { try await group.waitForAll() }
      }
    }
    #expect(log.reasons.last == .cancelled)
  }

  @Test("a server of raw bytes hands its handler the connection itself")
  func rawBytes() async throws {
    try await withAuditedLoops { _ in
      let server = try await TCPServer.bind(on: .ownLoopback())
      async let running: Void = server.run { connection in
        for try await chunk in connection.inbound { try await connection.send(chunk.map { $0 ^ 0xff }) }
      }
      let peer = try await server.connect()
      let reply = try await onThread {
        try peer.send([0, 1, 0xfe, 0xff])
        return try peer.receive(exactly: 4)
      }
      #expect(reply == [0xff, 0xfe, 1, 0])
      peer.close()
      await server.drain()
      try await running
    }
  }

  @Test("a server runs once: again is an error in words, and disturbs nobody")
  func runTwice() async throws {
    try await withAuditedLoops { _ in
      try await withServer(framing: LineFraming(), handler: echo) { server in
        let peer = try await server.connect()
        #expect(try await peer.ask("hello") == "hello")
        let error = await #expect(throws: SocketError.self) {
          try await server.run(framing: LineFraming(), echo)
        }
        #expect("\(try #require(error))".contains("bind another"))
        #expect(try await peer.ask("still here") == "still here")
        peer.close()
        await server.drain()
        await #expect(throws: SocketError.self) { try await server.run(framing: LineFraming(), echo) }
      }
    }
  }

  @Test("drain before run closes the server at once, as often as it is asked, and run returns (P72)")
  func drainBeforeRun() async throws {
    try await withAuditedLoops(clock: ManualClock()) { _ in
      let server = try await TCPServer.bind(on: .ownLoopback())
      await server.drain()
      #expect(try await isRefused(server.address))
      await server.drain()
      server.beginDrain()
      server.stopAccepting()
      // A stop that overtakes the start is no error.
      try await server.run(framing: LineFraming(), echo)
      await server.drain()
    }
  }

  @Test("beginDrain before run lets run serve who had connected, and return (P72)")
  func beginDrainBeforeRun() async throws {
    let log = EventLog()
    try await withAuditedLoops { _ in
      let server = try await TCPServer.bind(on: .ownLoopback(), configuration: log.configuration())
      let peer = try await server.connect()
      try peer.send("early\n")
      server.beginDrain(deadline: .seconds(3600))
      async let running: Void = server.run(framing: LineFraming(), echo)
      try await onThread { try peer.expectEnd(after: "early\n") }
      peer.close()
      try await running
      #expect(try await isRefused(server.address))
    }
    #expect(log.reasons == [.drained])
  }

  @Test("a server that is cancelled before it runs serves nobody and leaves nothing")
  func cancelBeforeRun() async throws {
    let log = EventLog()
    try await withAuditedLoops(clock: ManualClock()) { _ in
      let server = try await TCPServer.bind(on: .ownLoopback(), configuration: log.configuration())
      let peer = try await server.connect()
      await #expect(throws: CancellationError.self) {
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.cancelAll()
          group.addTask { try await server.run(framing: LineFraming(), echo) }
          try await group.waitForAll()
        }
      }
      try await onThread { try peer.expectNothing() }
      #expect(try await isRefused(server.address))
      peer.close()
    }
    #expect(log.accepted == [])
  }

  @Test("a server that is dropped without having run stops listening")
  func dropped() async throws {
    try await withAuditedLoops { _ in
      let address = try await TCPServer.bind(on: .ownLoopback()).address
      try await untilRefused(address)
    }
  }

  @Test("configurations that cannot work are refused in words before anything is opened")
  func invalidConfigurations() async throws {
    func message(_ change: (inout TCPServer.Configuration) -> Void) async throws -> String {
      var configuration = TCPServer.Configuration()
      change(&configuration)
      let error = await #expect(throws: SocketError.self) {
        try await TCPServer.bind(on: .ownLoopback(), configuration: configuration)
      }
      return "\(try #require(error))"
    }
    #expect(try await message { $0.limits.connections = -1 }.contains("limits.connections"))
    #expect(try await message { $0.backlog = 0 }.contains("backlog"))
    #expect(try await message { $0.connection.limits.idle = .zero }.contains("limits.idle"))
    #expect(
      try await message { $0.connection.limits.writeStall = .seconds(-1) }.contains("limits.writeStall"))
  }
}
