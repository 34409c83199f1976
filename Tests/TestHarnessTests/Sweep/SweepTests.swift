import AsyncSockets
import Framing
import Glibc
import TCPServer
import TestHarness
import Testing

/// Every scenario leaves nothing behind, wherever it is cancelled; each prints at how many points it was.
@Suite("Cancelled at any moment, nothing is left (P38):", .timeLimit(.minutes(20)))
struct SweepTests {
  private static let isSlow = unsafe getenv("ASYNCSOCKETS_SLOW").map { unsafe String(cString: $0) } == "1"

  private func sweep(
    _ scenario: @escaping @Sendable (SimulatedWorld) async throws -> Void
  ) async throws {
    for seed in 1...(Self.isSlow ? 20 : 1) as ClosedRange<UInt64> {
      let sweep = try await sweepCancellation(seed: seed, limit: 100_000, scenario)
      print(sweep)
      #expect(sweep.tried == sweep.points && sweep.tried > 20)
      // Both must occur, or it has not been cancelled while it was at work.
      #expect(sweep.cancelled > 0)
    }
  }

  /// An echo server on the host `server`, port 7, for as long as the body runs.
  private static func withEcho(
    _ world: SimulatedWorld, _ body: @escaping @Sendable (SocketAddress) async throws -> Void
  ) async throws {
    let host = world.host("server")
    let server = try await host.run { try await TCPServer.bind(on: .any(port: 7)) }
    try await withThrowingTaskGroup { group in
      group.addTask {
        try await server.run(framing: .lines) { connection in
          for try await line in connection.inbound { try await connection.send(line) }
        }
      }
      try await world.host("client").run { try await body(host.address.withPort(7)) }
      group.cancelAll()
    }
  }

  @Test("connect, echo, close")
  func echo() async throws {
    try await sweep { world in
      try await Self.withEcho(world) { address in
        try await Connector().withConnection(to: address) { raw in
          let connection = raw.framed(.lines)
          try await connection.send("hello")
          let answer = try await connection.next()
          #expect(answer == "hello")
        }
      }
    }
  }

  @Test("an accept loop")
  func acceptLoop() async throws {
    try await sweep { world in
      let host = world.host("server")
      let listener = try await host.run { try Listener.bind(to: .any(port: 7), on: world.loop) }
      defer { listener.close() }
      for number in 0..<3 {
        world.host("client-\(number)").start {
          // It finds nobody there when the loop has been cancelled.
          guard let client = try? await Connection.connect(to: host.address.withPort(7)) else { return }
          _ = try? await client.read()
          await client.close()
        }
      }
      for _ in 0..<3 {
        let connection = try await listener.accept(on: world.loop)
        await connection.close()
      }
    }
  }

  @Test("a server that drains")
  func drain() async throws {
    try await sweep { world in
      let host = world.host("server")
      let server = try await host.run { try await TCPServer.bind(on: .any(port: 7)) }
      world.host("client").start {
        guard let client = try? await Connection.connect(to: host.address.withPort(7)) else { return }
        try? await client.send("one\ntwo\n")
        while let bytes = try? await client.read(), !bytes.isEmpty {}
        await client.close()
      }
      try await withThrowingTaskGroup { group in
        group.addTask {
          try await server.run(framing: .lines) { connection in
            for try await line in connection.inbound { try await connection.send(line) }
          }
        }
        try await world.sleep(for: .milliseconds(10))
        await server.drain(deadline: .seconds(1))
        try await group.waitForAll()
      }
      try Task.checkCancellation()
    }
  }

  @Test("a send under back-pressure")
  func backPressure() async throws {
    try await sweep { world in
      let pair = try await SimulatedPair.connect(world)
      defer { pair.abort() }
      let message = [UInt8](repeating: 7, count: 50_000)
      try await withThrowingTaskGroup { group in
        for _ in 0..<5 { group.addTask { try await pair.near.send(message) } }
        group.addTask {
          try await world.sleep(for: .seconds(1))
          let bytes = try await pair.far.read(exactly: 250_000)
          #expect(bytes?.count == 250_000)
        }
        try await group.waitForAll()
      }
    }
  }

  @Test("requests and replies")
  func requests() async throws {
    try await sweep { world in
      try await Self.withEcho(world) { address in
        try await Connector().withConnection(to: address) { raw in
          let connection = raw.framed(.lines)
          for number in 0..<3 {
            let reply = try await connection.request("\(number)")
            #expect(reply == "\(number)")
          }
        }
      }
    }
  }

  @Test("a relay")
  func relaying() async throws {
    try await sweep { world in
      let first = try await SimulatedPair.connect(world)
      defer { first.abort() }
      let second = try await SimulatedPair.connect(world, port: 8)
      defer { second.abort() }
      async let report = relay(first.far, second.near)
      try await first.near.send("question")
      try await first.near.finishWriting()
      let question = try await second.far.read(exactly: 8)
      #expect(question == Array("question".utf8))
      try await second.far.send("answer")
      try await second.far.finishWriting()
      let answer = try await first.near.read(exactly: 6)
      #expect(answer == Array("answer".utf8))
      #expect(try await report.first.bytes == 8)
    }
  }

  @Test("a fault proxy")
  func faultProxy() async throws {
    try await sweep { world in
      try await Self.withEcho(world) { address in
        let proxyHost = world.host("proxy")
        try await proxyHost.run {
          try await withFaultProxy(to: address, on: .any(port: 8)) { proxy in
            try proxy.add(.latency(.milliseconds(10)))
            try proxy.add(.slicer(averageSize: 2, delay: .milliseconds(1)), direction: .upstream)
            try await Connector().withConnection(to: proxyHost.address.withPort(8)) { raw in
              let connection = raw.framed(.lines)
              try await connection.send("hello")
              let answer = try await connection.next()
              #expect(answer == "hello")
            }
          }
        }
      }
    }
  }
}
