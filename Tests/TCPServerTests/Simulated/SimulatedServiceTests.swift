import Framing
import TCPServer
import TestHarness
import TestSupport
import Testing

/// Echoes lines; `push` sends until nothing more is taken, `throw` throws, `wait` closes when a second has passed.
private struct Echo: ConnectionHandler {
  struct Trouble: Error {}

  var greeting = "hello"

  func connected(_ context: borrowing HandlerContext<LineFraming>) throws { try context.send(greeting) }

  mutating func received(_ line: String, _ context: borrowing HandlerContext<LineFraming>) throws {
    switch line {
    case "throw": throw Trouble()
    case "push": while context.canSend { try context.send(String(repeating: "x", count: 50_000)) }
    case "wait": context.setDeadline(.after(.seconds(1)))
    case "half": try context.finishWriting()
    default: try context.send(line)
    }
  }
}

private struct EchoBytes: ByteHandler {
  func received(_ bytes: RawSpan, _ context: borrowing HandlerContext<RawFraming>) throws {
    try context.send(bytes)
  }
}

/// Who comes in, and who serves it, on a simulated network.
@Suite("A server's admission and handlers in a simulation", .timeLimit(.minutes(2)))
struct SimulatedServiceTests {
  /// A server on the host `server`, which `run` runs, and the body on the host `client`.
  private func withService(
    _ change: @escaping @Sendable (inout TCPServer.Configuration) -> Void = { _ in },
    run: @escaping @Sendable (SimulatedWorld, TCPServer) async throws -> Void,
    _ body: @escaping @Sendable (SimulatedWorld, TCPServer, EventLog) async throws -> Void
  ) async throws {
    try await withSimulation(seed: 5) { world in
      let log = EventLog()
      let host = world.host("server")
      let server = try await host.run {
        try await TCPServer.bind(on: .any(port: 7), configuration: log.configuration(change))
      }
      host.start { try await run(world, server) }
      try await world.host("client").run {
        try await body(world, server, log)
        await server.drain(deadline: .seconds(1))
      }
    }
  }

  @Test("admits with a context, and refuses in every way there is")
  func admission() async throws {
    let turn = Shared(0)
    try await withService(
      { $0.limits.admission = .seconds(5) },
      run: { world, server in
        try await server.run(
          framing: .lines,
          admitting: { applicant in
            switch turn.increase() {
            case 1: throw TCPServer.Refusal.goodbye("no\n", because: "closed")
            case 2: throw TCPServer.Refusal.reset()
            case 3: throw TCPServer.Refusal.silent()
            case 4: throw Echo.Trouble()
            case 5: try await world.sleep(for: .seconds(10))
            default: break
            }
            applicant.tag = "guest"
            applicant.options.limits.idle = .seconds(30)
            applicant.upgrade { FaultyTransport(over: $0, TransportFaults(seed: 1)) }
            return "welcome"
          }
        ) { connection, greeting in
          try await connection.send("\(greeting) \(connection.connection.tag ?? "")")
          for try await line in connection.inbound { try await connection.send(line) }
        }
      }
    ) { _, server, log in
      for number in 1...5 {
        let connection = try await connect()
        defer { connection.abort() }
        let bytes = try? await connection.read()
        try check((bytes.map(\.count) ?? 0) == (number == 1 ? 3 : 0), "\(number): \(bytes ?? [])")
      }
      let lines = try await connect().framed(.lines)
      let greeting = try await lines.next()
      try check(greeting == "welcome guest", "\(greeting ?? "nothing")")
      try check(log.refusals.count == 5, "\(log.refusals)")
      try check(log.events.contains { "\($0)".contains("(guest) accepted") }, "\(log.events)")
      try check(server.snapshot.connections.count == 1, "\(server.snapshot)")
      lines.connection.abort()
    }
  }

  @Test("has handlers serve, admitted or not", arguments: [false, true])
  func handlers(isAdmitting: Bool) async throws {
    try await withService(run: { _, server in
      isAdmitting
        ? try await server.run(
          admitting: { _ in "welcome" }, handledBy: { Echo(greeting: $0) }, framing: .lines)
        : try await server.run(handledBy: Echo(), framing: .lines)
    }) { world, _, log in
      let lines = try await connect().framed(.lines)
      let greeting = try await lines.next()
      try check(greeting == (isAdmitting ? "welcome" : "hello"), "\(greeting ?? "nothing")")
      let answer = try await lines.request("again")
      try check(answer == "again", answer)
      for word in ["throw", "wait", "push", "half"] {
        let other = try await connect().framed(.lines)
        try await other.send(word)
        var count = 0
        while let line = try? await other.next() {
          count += line.count > 1000 ? 1 : 0
          if word == "push", count > 1 { break }
        }
        other.connection.abort()
      }
      try check(log.failures.count == 1, "\(log.failures)")
      await lines.close()
    }
  }

  @Test("has handlers of bytes serve, admitted or not", arguments: [false, true])
  func byteHandlers(isAdmitting: Bool) async throws {
    try await withService(run: { _, server in
      isAdmitting
        ? try await server.run(admitting: { _ in 7 }, handledBy: { _ in EchoBytes() }, framing: .raw)
        : try await server.run(handledBy: EchoBytes(), framing: .raw)
    }) { _, _, _ in
      let connection = try await connect()
      try await connection.send([UInt8](repeating: 1, count: 30_000))
      let bytes = try await connection.read(exactly: 30_000)
      try check(bytes?.count == 30_000, "\(bytes?.count ?? 0)")
      await connection.close()
    }
  }

  @Test("cancels a handler that waits for something else when its peer goes", arguments: [true, false])
  func cancellation(byReset: Bool) async throws {
    try await withService(
      { $0.cancelsHandlers = byReset ? .onReset : .onEndOfStream },
      run: { world, server in
        try await server.run(framing: .lines) { connection in
          _ = try await connection.next()
          try await world.sleep(for: .seconds(3600))
        }
      }
    ) { world, server, log in
      let connection = try await connect()
      try await connection.send(Array("hello\n".utf8))
      try await world.sleep(for: .seconds(1))
      let begin = world.elapsed
      if byReset { connection.abort() } else { try await connection.finishWriting() }
      while server.connectionCount > 0 { try await world.sleep(for: .milliseconds(1)) }
      try check(world.elapsed - begin < .milliseconds(10), "\(world.elapsed - begin)")
      try check(log.reasons.count == 1, "\(log.reasons)")
      connection.abort()
    }
  }

  @Test("tells handlers of its drain, who can say goodbye")
  func goodbye() async throws {
    try await withService(run: { _, server in
      try await server.run(framing: .lines) { connection in
        _ = try await connection.next()
        try await connection.untilDraining()
        try await connection.send(connection.isDraining ? "goodbye" : "what?")
      }
    }) { world, server, _ in
      let lines = try await connect().framed(.lines)
      try await lines.send("hello")
      try await world.sleep(for: .seconds(1))
      server.beginDrain(deadline: .seconds(5))
      let goodbye = try await lines.next()
      try check(goodbye == "goodbye", "\(goodbye ?? "nothing")")
      await lines.close()
    }
  }
}
