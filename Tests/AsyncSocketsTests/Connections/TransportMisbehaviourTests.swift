import AsyncSockets
import Framing
import TestHarness
import Testing

@Suite("A transport that does odd things", .timeLimit(.minutes(4)))
struct TransportMisbehaviourTests {
  @Test("after its last news it may say a few times more that it would block", arguments: Place.allCases)
  func spuriousAfterFinal(_ place: Place) async throws {
    let transport = ScriptedTransport()
    try await withScript(place, transport) { link in
      async let received = link.connection.receiveToEnd()
      try await untilReading(link.connection)
      transport.arrive(
        .wouldBlock(.read), .wouldBlock(.read), .bytes(bytes("x")), .wouldBlock(.read), .bytes(bytes("y")),
        .wouldBlock(.read), .end, announcing: [.read, .final])
      #expect(try await received == bytes("xy"))
    }
  }

  @Test("one that never comes to the end it announced can still be given up", arguments: Place.allCases)
  func endlessAfterFinal(_ place: Place) async throws {
    let transport = ScriptedTransport()
    try await withScript(place, transport) { link in
      transport.announce([.read, .write, .final])
      for _ in 0..<2 { await link.loop.nextTurn() }
      let error = try await cancelled(once: { transport.record.reads > 3 }) {
        _ = try await link.connection.read()
      }
      #expect(error is CancellationError)
      let before = transport.record.reads
      async let late = socketError { try await link.connection.read(deadline: .after(.seconds(1))) }
      try await eventually("it is tried again") { transport.record.reads > before + 3 }
      link.clock.advance(by: .seconds(1))
      #expect(await late?.isTimedOut == true)
    }
  }

  @Test("a write that blocks after the last news does not spin", arguments: Place.allCases)
  func writeAfterFinal(_ place: Place) async throws {
    let transport = ScriptedTransport()
    transport.block()
    try await withScript(place, transport) { link in
      transport.announce([.read, .write, .final])
      for _ in 0..<2 { await link.loop.nextTurn() }
      try await link.connection.send("x")
      async let flushing: Void = link.connection.flush()
      try await untilWriting(link.connection)
      for _ in 0..<20 { await link.loop.nextTurn() }
      #expect(transport.record.writes < 10)
      transport.unblock()
      try await flushing
    }
  }

  @Test("no bytes read, or none taken, mean that it would block", arguments: Place.allCases)
  func noBytes(_ place: Place) async throws {
    let transport = ScriptedTransport(input: [.bytes([])], output: [.room(0)])
    try await withScript(place, transport) { link in
      async let received = link.connection.read()
      try await link.connection.send("out")
      async let flushing: Void = link.connection.flush()
      try await untilReading(link.connection)
      try await untilWriting(link.connection)
      transport.arrive(.bytes(bytes("in")))
      transport.announce(.write)
      #expect(try await received == bytes("in"))
      try await flushing
      #expect(transport.record.written == bytes("out"))
    }
  }

  @Test(
    "a count that cannot be ends the connection with words, and traps nobody",
    arguments: Place.allCases, [Int.min, -1, 1 << 20, Int.max])
  func impossibleCount(_ place: Place, _ count: Int) async throws {
    for isUpgraded in [true, false] {
      try await withAuditedLoops(clock: ManualClock()) { group in
        let loop = group.loops[0]
        try await run(Route(network: .ipv4, isOnLoop: place == .onLoop), on: loop) {
          func make() async throws -> Connection {
            guard isUpgraded else { return try Connection(over: LyingTransport(count), on: loop) }
            let connection = try Connection(over: ScriptedTransport(), on: loop)
            try await connection.upgrade { _ in LyingTransport(count) }
            return connection
          }
          let (reader, writer, gatherer) = (try await make(), try await make(), try await make())
          let errors = [
            await socketError { try await reader.read() },
            await socketError {
              try await writer.send("12345")
              try await writer.flush()
            },
            await socketError {
              try await gatherer.send(contentsOf: [bytes("12"), bytes("345")])
              try await gatherer.flush()
            },
          ]
          for (error, operation) in zip(errors, ["read", "write", "write"]) {
            let text = error?.description ?? ""
            #expect(text.hasPrefix("LyingTransport.\(operation), which answered .bytes(\(count)) for "))
            #expect(text.contains("EPROTO"))
          }
          for connection in [reader, writer, gatherer] { await connection.close() }
          #expect(await socketError { try await reader.read() } == errors[0])
        }
      }
    }
  }

  @Test("news that nobody waits for is not lost, and harms nobody", arguments: Place.allCases)
  func spuriousNews(_ place: Place) async throws {
    let transport = ScriptedTransport()
    try await withScript(place, transport) { link in
      for _ in 0..<10 { transport.announce([.read, .write]) }
      async let received = link.connection.read()
      try await untilReading(link.connection)
      for _ in 0..<10 {
        transport.announce([.read, .write])
        await link.loop.nextTurn()
      }
      try await untilReading(link.connection)
      transport.arrive(.bytes(bytes("x")))
      #expect(try await received == bytes("x"))
    }
  }

  @Test("news after the close harms nobody", arguments: Place.allCases)
  func newsAfterClose(_ place: Place) async throws {
    let transport = NosyTransport()
    try await withAuditedLoops(clock: ManualClock()) { group in
      let loop = group.loops[0]
      let connection = try Connection(over: transport, on: loop)
      try await run(Route(network: .ipv4, isOnLoop: place == .onLoop), on: loop) {
        try await connection.send("x")
        connection.abort()
        for _ in 0..<5 {
          transport.announce([.read, .write, .final])
          await loop.nextTurn()
        }
        #expect(await socketError { try await connection.read() } == .closed)
      }
    }
  }

  @Test("it may tell its news from inside a call", arguments: Place.allCases)
  func newsFromInside(_ place: Place) async throws {
    let transport = NosyTransport()
    try await withAuditedLoops(clock: ManualClock()) { group in
      let loop = group.loops[0]
      let connection = try Connection(over: transport, on: loop)
      try await run(Route(network: .ipv4, isOnLoop: place == .onLoop), on: loop) {
        for round in 0..<50 {
          try await connection.send("\(round),")
          try await connection.flush()
        }
        var received: [UInt8] = []
        while received.count < 140, let chunk = try await connection.read() { received += chunk }
        #expect(String(decoding: received, as: UTF8.self) == (0..<50).map { "\($0)," }.joined())
        await connection.close()
      }
    }
  }
}

/// Answers every call with the same count.
private final class LyingTransport: Transport {
  private let count: Int

  init(_ count: Int) { self.count = count }

  func read(into buffer: inout MutableRawSpan) -> TransportResult { .bytes(count) }
  func write(_ bytes: RawSpan) -> TransportResult { .bytes(count) }
  func shutdownWrite() -> TransportResult { .bytes(count) }
  func close(abortively: Bool) {}
  var unreadBytes: Int { count }
  func notifyReadiness(_ notify: @escaping @Sendable (TransportReadiness) -> Void) {}
}

/// Hands back what is written to it, and tells its news from inside every call.
private final class NosyTransport: Transport {
  private struct State {
    var bytes: [UInt8] = []
    var hasEnded = false
    var notify: (@Sendable (TransportReadiness) -> Void)?
  }

  private let state = Lock(State())

  func announce(_ readiness: TransportReadiness) { state.withLock { $0.notify }?(readiness) }

  func read(into buffer: inout MutableRawSpan) -> TransportResult {
    defer { announce([.read, .write]) }
    let taken = state.withLock { state in
      let taken = Array(state.bytes.prefix(min(3, buffer.byteCount)))
      state.bytes.removeFirst(taken.count)
      return taken
    }
    if taken.isEmpty { return state.withLock { $0.hasEnded } ? .end : .wouldBlock(.read) }
    for (index, byte) in taken.enumerated() {
      buffer.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
    }
    return .bytes(taken.count)
  }

  func write(_ bytes: RawSpan) -> TransportResult {
    defer { announce([.read, .write]) }
    let new = (0..<bytes.byteCount).map { unsafe bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
    state.withLock { $0.bytes += new }
    return .bytes(new.count)
  }

  func shutdownWrite() -> TransportResult {
    defer { announce([.read, .final]) }
    state.withLock { $0.hasEnded = true }
    return .bytes(0)
  }

  func close(abortively: Bool) { announce([.read, .write, .final]) }

  var unreadBytes: Int { state.withLock { $0.bytes.count } }

  func notifyReadiness(_ notify: @escaping @Sendable (TransportReadiness) -> Void) {
    state.withLock { $0.notify = notify }
    notify([.read, .write])
  }
}
