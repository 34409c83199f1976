import AsyncSockets
import Framing
import TestHarness
import Testing

/// What a connection can do besides sending and reading, on a simulated network.
@Suite("A connection in a simulation", .timeLimit(.minutes(2))) struct SimulatedConnectionTests {
  /// Both ends of a connection, which are aborted in the end.
  private func withPair(
    seed: UInt64 = 2,
    _ body: @escaping @Sendable (SimulatedWorld, _ near: Connection, _ far: Connection) async throws -> Void
  ) async throws {
    try await withSimulation(seed: seed) { world in
      let host = world.host("server")
      let listener = try await host.run { try Listener.bind(to: .any(port: 7), on: world.loop) }
      defer { listener.close() }
      let near = try await world.host("client").run {
        try await Connection.connect(to: host.address.withPort(7))
      }
      defer { near.abort() }
      let far = try await listener.accept(on: world.loop)
      defer { far.abort() }
      try await body(world, near, far)
    }
  }

  @Test("looks ahead, takes what is left, and reads pieces of every kind")
  func pieces() async throws {
    try await withPair { _, near, far in
      try await near.send(Array("ab\r\n\u{1}\u{2}|rest".utf8))
      let ahead = try await far.peek(atLeast: 4)
      #expect(ahead?.starts(with: Array("ab\r\n".utf8)) == true)
      let piece = try await far.read(until: Array("\r\n".utf8))
      #expect(piece == Array("ab".utf8))
      let number = try await far.read(UInt16.self)
      #expect(number == 0x0102)
      var decoder = try LineFraming("|").makeDecoder()
      let empty = try await far.read(using: &decoder)
      #expect(empty == "")
      _ = try await far.peek(atLeast: 4)
      let left = try far.takeLeftovers()
      #expect(left == Array("rest".utf8))
      await #expect(throws: SocketError.self) { _ = try await far.peek(atLeast: 0) }
      await #expect(throws: SocketError.self) { _ = try await far.read(exactly: -1) }
      await #expect(throws: SocketError.self) { _ = try await far.read(until: []) }
      await #expect(throws: SocketError.self) {
        _ = try await far.peek(deadline: .after(.seconds(5)))
      }
      await near.close()
      let end = try await far.peek()
      #expect(end == nil)
    }
  }

  @Test("reads into memory of the caller's, to the end")
  func memory() async throws {
    try await withPair { _, near, far in
      try await near.send(Array("hello".utf8))
      try await near.finishWriting()
      var bytes = [UInt8](repeating: 0, count: 3)
      var counts: [Int] = []
      repeat {
        var span = bytes.mutableSpan
        var raw = unsafe span.mutableBytes
        counts.append(try await far.read(into: &raw))
      } while counts.last != 0
      #expect(counts == [3, 2, 0])
      #expect(bytes == Array("lol".utf8))
    }
  }

  @Test("has options of its socket, and no credentials over TCP")
  func options() async throws {
    try await withPair { _, near, far in
      try near.set(.noDelay(true))
      try near.set(.userTimeout(.seconds(5)))
      #expect(try near.value(of: .userTimeout) == .seconds(5))
      #expect(try near.peerCredentials() == nil)
      #expect(throws: SocketError.self) { try near.set(.sendBuffer(-1)) }
      await near.close()
      #expect(throws: SocketError.self) { try near.set(.noDelay(true)) }
      #expect(throws: SocketError.self) { _ = try near.peerCredentials() }
      try await far.upgrade { FaultyTransport(over: $0, TransportFaults(seed: 1)) }
      #expect(throws: SocketError.self) { _ = try near.tcpInfo() }
    }
  }

  @Test("goes on with another codec, and the one before says so")
  func switching() async throws {
    try await withPair { _, near, far in
      let lines = far.framed(.lines)
      try await near.send(Array("one\n3:two,".utf8))
      let one = try await lines.next()
      #expect(one == "one")
      let netstrings = try lines.switching(to: NetstringFraming())
      let two = try await netstrings.next()
      #expect(two == Array("two".utf8))
      await #expect(throws: SocketError.switched) { _ = try await lines.next() }
      try await netstrings.send(Array("three".utf8))
      try await netstrings.flush()
      #expect(netstrings.peerAddress == near.localAddress && netstrings.localAddress == near.peerAddress)
      #expect(netstrings.closeReason == nil && !netstrings.isDraining)
      let text = try await near.read(exactly: 8)
      #expect(text == Array("5:three,".utf8))
      #expect(netstrings.counters.bytesWritten == 8)
    }
  }

  @Test("prints what it is doing")
  func snapshot() async throws {
    try await withPair { world, near, far in
      async let bytes = far.read(exactly: 5)
      try await world.sleep(for: .seconds(1))
      #expect("\(far.snapshot)".contains("10.0.0"))
      let loop = await world.loop.snapshot()
      #expect("\(loop)".contains("10.0.0.3") || "\(loop)".contains("10.0.0.2"))
      #expect(loop.connections.contains { $0.waits.contains(.read) })
      #expect(try near.offer("hello"))
      #expect(try await bytes?.count == 5)
    }
  }

  private struct Counting: ConnectionHandler {
    var lines = 0
    var reason: CloseReason?

    mutating func received(_ line: String, _ context: borrowing HandlerContext<LineFraming>) throws {
      lines += 1
      if line == "stop" { context.abort() }
    }

    mutating func closed(_ reason: CloseReason) { self.reason = reason }
  }

  @Test(
    "is run by a handler, until that ends it, its peer does, or its task is cancelled", arguments: [0, 1, 2])
  func handler(ending: Int) async throws {
    try await withPair { world, near, far in
      async let running = far.run(Counting(), framing: .lines)
      try await near.send(Array("one\ntwo\n".utf8))
      try await world.sleep(for: .seconds(1))
      if ending == 0 { try await near.send(Array("stop\n".utf8)) }
      if ending == 1 { await near.close() }
      if ending == 2 { far.abort() }
      let handler = try await running
      #expect(handler.lines == (ending == 0 ? 3 : 2))
      #expect(handler.reason == [.aborted, .closed, .aborted][ending] || ending == 1)
    }
  }
}
