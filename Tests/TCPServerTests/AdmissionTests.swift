import Framing
import Glibc
import Peers
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("Admission", .timeLimit(.minutes(4)))
struct AdmissionTests {
  struct User: Sendable { let name: String }
  struct Trouble: Error {}

  @Test(
    "scenario G1: who is admitted is served with the context that the admission made, and events have its tag"
  )
  func context() async throws {
    let log = EventLog()
    try await withAuditedLoops(count: 2, clock: ManualClock()) { _ in
      let server = try await TCPServer.bind(on: .loopback(), configuration: log.configuration())
      async let running: Void = server.run(
        framing: .lines,
        admitting: { applicant in
          guard applicant.localAddress == server.address, applicant.credentials == nil else {
            throw Trouble()
          }
          let user = User(name: "guest of \(applicant.peerAddress?.host ?? "nowhere")")
          applicant.tag = user.name
          return user
        }
      ) { connection, user in
        for try await line in connection.inbound { try await connection.send("\(user.name): \(line)") }
      }
      let peer = try await server.connect()
      #expect(try await peer.ask("hello") == "guest of 127.0.0.1: hello")
      peer.close()
      try await log.untilClosed(1)
      await server.drain()
      try await running
    }
    // The last tells of the drain.
    let texts = log.events.map(\.description).dropLast()
    #expect(texts.count == 2)
    #expect(texts.first?.hasSuffix("(guest of 127.0.0.1) accepted") == true)
    #expect(texts.last?.hasSuffix("ended: closed by the peer; 6 bytes in, 26 out") == true)
  }

  @Test(
    "scenario G6: with a limit of one, three are refused and the fourth is served: the place comes back",
    arguments: ["silent", "reset", "goodbye", "error", "cancellation"])
  func refused(_ manner: String) async throws {
    let isOrderly = manner == "silent" || manner == "goodbye"
    let log = EventLog()
    let count = Shared(0)
    try await withAuditedLoops(clock: ManualClock()) { _ in
      let server = try await TCPServer.bind(
        on: .loopback(), configuration: log.configuration { $0.limits.connections = 1 })
      async let running: Void = server.run(
        framing: .lines,
        admitting: { _ in
          guard count.increase() <= 3 else { return }
          switch manner {
          case "silent": throw TCPServer.Refusal.silent(because: "no")
          case "reset": throw TCPServer.Refusal.reset(because: "no")
          case "goodbye": throw TCPServer.Refusal.goodbye("come later\n", because: "no")
          case "error": throw Trouble()
          default: throw CancellationError()
          }
        }
      ) { connection, _ in try await echo(connection) }
      for _ in 0..<3 {
        let peer = try await server.connect()
        // A client that speaks first must not lose the goodbye to a reset.
        if isOrderly { try peer.send("hello\n") }
        let (bytes, ending) = try await onThread { try peer.receiveToEnding() }
        #expect(bytes == (manner == "goodbye" ? Array("come later\n".utf8) : []))
        #expect(ending == (isOrderly ? .end : .reset))
        peer.close()
      }
      let peer = try await server.connect()
      #expect(try await peer.ask("hello") == "hello")
      peer.close()
      try await log.untilClosed(1)
      await server.drain()
      try await running
    }
    #expect(log.accepted.count == 1)
    #expect(log.reasons == [.closedByPeer])
    #expect(log.refusals.count == 3)
    let cause =
      switch manner {
      case "error": "its admission failed: Trouble()"
      case "cancellation": "its admission failed: CancellationError()"
      default: "no"
      }
    #expect(log.refusals.allSatisfy { $0 == cause })
  }

  @Test("one that takes its time holds up nobody, counts, and is reset at its deadline")
  func deadline() async throws {
    let log = EventLog()
    let clock = ManualClock()
    let pending = Shared(0)
    try await withAuditedLoops(count: 2, clock: clock) { group in
      let configuration = log.configuration { $0.limits.connections = 3 }
      let server = try await TCPServer.bind(on: .loopback(), configuration: configuration)
      async let running: Void = server.run(
        framing: .lines,
        admitting: { applicant in
          guard pending.increase() <= 2 else { return }
          try await group.loops[0].sleep(for: .seconds(1_000_000))
        }
      ) { connection, _ in try await echo(connection) }
      let slow = try await server.connect(count: 2)
      try await eventually("they are pending") { pending.value == 2 }
      let peer = try await server.connect()
      #expect(try await peer.ask("hello") == "hello")
      // Both count: nobody else has room.
      let waiting = try await server.connect()
      try await eventually("the limit is reached") { log.limits == [.connections] }
      #expect(server.connectionCount == 3)
      clock.advance(by: .seconds(9))
      for loop in group.loops { for _ in 0..<3 { await loop.nextTurn() } }
      #expect(log.refusals == [])
      clock.advance(by: .seconds(1))
      for peer in slow {
        #expect(try await onThread { try peer.receiveToEnding().ending } == .reset)
        peer.close()
      }
      #expect(try await waiting.ask("hello") == "hello")
      #expect(log.refusals == Array(repeating: "its admission took too long", count: 2))
      peer.close()
      waiting.close()
      await server.drain()
      try await running
    }
  }

  @Test(
    "no handler is started for a connection that its peer has reset meanwhile, or before it was accepted (P61)"
  )
  func gone() async throws {
    let log = EventLog()
    let door = Door()
    let pending = Shared(0)
    try await withAuditedLoops(clock: ManualClock()) { group in
      let server = try await TCPServer.bind(on: .loopback(), configuration: log.configuration())
      let early = try await server.connect(count: 10)
      for peer in early { try peer.reset() }
      async let running: Void = server.run(
        framing: .lines,
        admitting: { _ in
          pending.increase()
          try await door.pass(on: group.loops[0])
        }
      ) { connection, _ in try await echo(connection) }
      let peers = try await server.connect(count: 10)
      try await eventually("all are pending or refused") { pending.value + log.refusals.count == 20 }
      for peer in peers[..<5] { try peer.reset() }
      // Bytes that came before are for the handler, and so is the end of a stream.
      try peers[5].send("hello\n")
      try peers[6].halfClose()
      for _ in 0..<3 { await group.loops[0].nextTurn() }
      door.open()
      #expect(try await onThread { try peers[5].receiveLine() } == "hello")
      for peer in peers[7...] { #expect(try await peer.ask("hello") == "hello") }
      #expect(try await onThread { try peers[6].receiveToEnding().ending } == .end)
      for peer in peers[5...] { peer.close() }
      try await log.untilClosed(5)
      await server.drain()
      try await running
    }
    #expect(log.refusals == Array(repeating: "its peer has reset it", count: 15))
    #expect(log.accepted.count == 5)
  }

  @Test("a server that is cancelled cancels what is pending, and every place comes back")
  func cancelled() async throws {
    let log = EventLog()
    let pending = Shared(0)
    try await withAuditedLoops(count: 2, clock: ManualClock()) { group in
      let server = try await TCPServer.bind(on: .loopback(), configuration: log.configuration())
      await #expect(throws: CancellationError.self) {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
          tasks.addTask {
            try await server.run(admitting: { _ in
              pending.increase()
              try await group.loops[0].sleep(for: .seconds(1_000_000))
            }) { _, _ in }
          }
          let peers = try await server.connect(count: 10)
          try await eventually("they are pending") { pending.value == 10 }
          tasks.cancelAll()
          for peer in peers {
            #expect(try await onThread { try peer.receiveToEnding().ending } == .reset)
            peer.close()
          }
          try await tasks.waitForAll()
        }
      }
      #expect(server.connectionCount == 0)
    }
    #expect(log.refusals == Array(repeating: "the server was cancelled", count: 10))
    #expect(log.accepted == [])
  }

  @Test("options that it gives are the connection's own, and what it wraps carries it from the first byte on")
  func optionsAndTransport() async throws {
    let log = EventLog()
    let seen = Shared<[ConnectionLimits]>([])
    try await withAuditedLoops(clock: ManualClock()) { _ in
      let server = try await TCPServer.bind(on: .loopback(), configuration: log.configuration())
      async let running: Void = server.run(
        framing: .lines,
        admitting: { applicant in
          applicant.options.limits.idle = .seconds(77)
          applicant.upgrade { FaultyTransport(over: $0, TransportFaults(seed: 7)) }
        }
      ) { connection, _ in
        seen.change { $0.append(connection.connection.limits) }
        try await echo(connection)
      }
      let peer = try await server.connect()
      try peer.send("early\n")
      try await onThread { try peer.expectLine("early") }
      server.limits.idle = .seconds(5)
      #expect(try await peer.ask("wrapped") == "wrapped")
      peer.close()
      try await log.untilClosed(1)
      await server.drain()
      try await running
    }
    #expect(seen.value.map(\.idle) == [.seconds(77)])
    #expect(log.reasons == [.closedByPeer])
  }

  @Test("a wrapper that throws refuses, and so do options that cannot work")
  func badAnswers() async throws {
    let log = EventLog()
    let count = Shared(0)
    try await withAuditedLoops(clock: ManualClock()) { _ in
      let server = try await TCPServer.bind(on: .loopback(), configuration: log.configuration())
      async let running: Void = server.run(admitting: { applicant in
        if count.increase() == 1 {
          applicant.upgrade { _ in throw Trouble() }
        } else {
          applicant.options.limits.idle = .zero
        }
      }) { _, _ in }
      for number in 1...2 {
        let peer = try await server.connect()
        #expect(try await onThread { try peer.receiveToEnding().ending } == .reset)
        try await eventually("it is refused") { log.refusals.count == number }
        peer.close()
      }
      await server.drain()
      try await running
    }
    #expect(log.refusals.first == "its admission failed: Trouble()")
    #expect(log.refusals.last?.contains("limits.idle must be positive") == true)
  }

  @Test("on a Unix socket it sees who is at the other end")
  func credentials() async throws {
    let seen = Shared<[PeerCredentials?]>([])
    try await withAuditedLoops(clock: ManualClock()) { _ in
      let path = "/tmp/admission-\(getpid()).sock"
      let server = try await TCPServer.bind(on: .unix(path: path))
      async let running: Void = server.run(
        framing: .lines, admitting: { applicant in seen.change { $0.append(applicant.credentials) } }
      ) { connection, _ in try await echo(connection) }
      let peer = try await onThread { try BlockingPeer.connect(unixPath: path) }
      #expect(try await peer.ask("hello") == "hello")
      peer.close()
      await server.drain()
      try await running
    }
    #expect(seen.value.count == 1)
    #expect(seen.value.first??.processID == getpid())
  }
}
