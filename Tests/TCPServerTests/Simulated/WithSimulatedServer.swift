import TCPServer
import TestHarness

/// Runs `body` on the host `client`, with a server of lines on the host `server`, port 7, which answers each line with the
/// same. After `busy` it waits for something else, and after `deaf` it does not listen to its cancellation.
func withSimulatedServer(
  seed: UInt64 = 3, _ change: @escaping @Sendable (inout TCPServer.Configuration) -> Void = { _ in },
  _ body: @escaping @Sendable (SimulatedWorld, TCPServer, EventLog) async throws -> Void
) async throws {
  try await withSimulation(seed: seed) { world in
    let log = EventLog()
    let host = world.host("server")
    let server = try await host.run {
      try await TCPServer.bind(on: .any(port: 7), configuration: log.configuration(change))
    }
    host.start {
      try await server.run(framing: .lines) { connection in
        for try await line in connection.inbound {
          try await connection.send(line)
          if line == "busy" { try await world.sleep(for: .seconds(3600)) }
          // Until it is aborted.
          if line == "deaf" { while connection.closeReason == nil { await deafSleep(world) } }
        }
      }
    }
    try await world.host("client").run { try await body(world, server, log) }
  }
}

/// A moment that no cancellation cuts short.
private func deafSleep(_ world: SimulatedWorld) async {
  let isOver = Latch()
  _ = await isOver.wait(
    until: world.loop.now.advanced(by: .milliseconds(100)), on: world.loop, isCancellable: false)
}

/// A connection to the host `server`, which the caller closes.
func connect() async throws -> Connection { try await Connector().connect(to: "server", port: 7) }

/// A connection on which something was asked and answered.
func ask(_ line: String, answer: String) async throws -> Connection {
  let connection = try await connect()
  let lines = connection.framed(.lines)
  do {
    try await lines.send(line)
    let received = try await lines.next()
    try check(received == answer, "\(received ?? "nothing") instead of \(answer)")
    return connection
  } catch {
    connection.abort()
    throw error
  }
}
