import AsyncSockets
import Framing
import TCPServer
import TestHarness
import TestSupport
import Testing

@testable import TCPClient

@Suite("A pool of connections that their borrowers have left in the middle or changed") struct LeftBehindTests
{
  private typealias Blocks = StackedFraming<LengthPrefixFraming<IntegerField>, LineBytesFraming>

  private func withServer(
    _ handler: @escaping @Sendable (Lines) async throws -> Void,
    _ body: @escaping @Sendable (SimulatedWorld, _ accepted: Shared<Int>) async throws -> Void
  ) async throws {
    try await withSimulation(seed: 10) { world in
      let accepted = Shared(0)
      try await world.host("server").serveLines {
        accepted.increase()
        try await handler($0)
      }
      try await world.host("client").run { try await body(world, accepted) }
    }
  }

  private static let echo: @Sendable (Lines) async throws -> Void = { connection in
    for try await line in connection.inbound {
      if line.hasPrefix("slow") { try await connection.loop.sleep(for: .seconds(5)) }
      try await connection.send(line)
    }
  }

  private static func pool() throws -> ConnectionPool<Lines> {
    try ConnectionPool(
      to: "server", port: 7, framing: .lines, configuration: PoolConfiguration(atMost: 1))
  }

  @Test("lends nobody the notices that another has not taken")
  func notices() async throws {
    try await withServer({ connection in
      for try await line in connection.inbound {
        if line.hasSuffix("loud") { try await connection.send("- \(line)") }
        try await connection.send(line)
      }
    }) { _, accepted in
      let pool = try ConnectionPool(
        to: .host("server", port: 7), configuration: PoolConfiguration(atMost: 1)
      ) { connection in
        try connection.framed(.lines).requests(
          id: { $0.split(separator: " ").first.flatMap { Int($0) } }, keepingUnsolicited: 10)
      }
      try await pool.run {
        for line in ["1 quiet", "2 quiet", "3 loud", "4 loud"] {
          let reply = try await pool.withConnection { try await $0.request(line) }
          #expect(reply == line)
        }
        #expect(accepted.value == 2, "only what is left behind costs a connection")
        let notice = try await pool.withConnection { requests in
          _ = try await requests.request("5 loud")
          return try await requests.next()
        }
        #expect(notice == "- 5 loud" && accepted.value == 3)
        let last = try await pool.withConnection { try await $0.request("6 quiet") }
        #expect(last == "6 quiet" && accepted.value == 3)
      }
    }
  }

  @Test("lends none with a reply to come, though its borrower vouches for it", arguments: [true, false])
  func outstanding(isOwn: Bool) async throws {
    try await withServer(Self.echo) { _, accepted in
      let pool = try Self.pool()
      try await pool.run {
        try await pool.withConnection(reuse: .ifAtRest) { connection in
          let deadline = Deadline.after(.seconds(1))
          if isOwn {
            let requests = try connection.requests()
            _ = try? await requests.request("slow", deadline: deadline)
          } else {
            _ = try? await connection.request("slow", deadline: deadline)
          }
        }
        let reply = try await pool.withConnection { try await $0.request("mine") }
        #expect(reply == "mine" && accepted.value == 2)
      }
    }
  }

  @Test(
    "lends none after half a frame that a codec of the borrower's own has taken",
    arguments: ["framed", "read"], [true, false])
  func halfFrames(how: String, isWhole: Bool) async throws {
    try await withServer({ connection in
      for try await line in connection.inbound {
        let block = Array((isWhole ? "\(line)\n" : "\(line)\nhal").utf8)
        try await connection.connection.send([0, UInt8(block.count)] + block)
      }
    }) { _, accepted in
      let pool = try ConnectionPool(
        to: "server", port: 7, configuration: PoolConfiguration(atMost: 1))
      let blocks = LengthPrefixFraming(.uint16).then(LineFraming().bytes)
      try await pool.run {
        for name in ["alice", "bob"] {
          let line = try await pool.withConnection { connection in
            if how == "framed" {
              let lines = connection.framed(blocks)
              try await connection.send("\(name)\n")
              return try await lines.next()
            }
            var decoder = blocks.makeDecoder()
            try await connection.send("\(name)\n")
            return try await connection.read(using: &decoder)
          }
          #expect(line == Array(name.utf8))
        }
      }
      #expect(accepted.value == (isWhole ? 1 : 2))
    }
  }

  @Test(
    "lends none with limits, options or a transport that its borrower has set, unless the limits are put back",
    arguments: ["limits", "option", "upgrade", "put back"])
  func changes(how: String) async throws {
    try await withServer(Self.echo) { _, accepted in
      let pool = try Self.pool()
      try await pool.run {
        _ = try await pool.withConnection { try await $0.request("before") }
        try await pool.withConnection { lines in
          let connection = lines.connection
          let limits = connection.limits
          var own = limits
          own.idle = .seconds(1)
          switch how {
          case "option": try connection.set(.noDelay(false))
          case "upgrade": try await connection.upgrade { FaultyTransport(over: $0, TransportFaults(seed: 7)) }
          default: try connection.set(own)
          }
          _ = try await lines.request("hello")
          if how == "put back" { try connection.set(limits) }
        }
        let limits = try await pool.withConnection { $0.connection.limits }
        #expect(limits == ConnectionOptions().limits)
        #expect(accepted.value == (how == "put back" ? 1 : 2))
      }
    }
  }

  @Test("ends at once when it drains, though a check goes on")
  func hangingCheck() async throws {
    try await withServer({ connection in
      for try await line in connection.inbound where line != "check" { try await connection.send(line) }
    }) { world, _ in
      var configuration = PoolConfiguration(atMost: 1)
      configuration.checkAfter = .seconds(1)
      configuration.checkTimeout = .seconds(100)
      let pool = try ConnectionPool(
        to: "server", port: 7, framing: .lines, configuration: configuration,
        checking: { _ = try await $0.request("check") })
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await pool.run() }
        _ = try await pool.withConnection { try await $0.request("hello") }
        try await world.sleep(for: .seconds(2))
        group.addTask {
          await #expect(throws: PoolError.self) { try await pool.withConnection { _ in } }
        }
        try await eventually("it is checked") { pool.snapshot.counts.checking == 1 }
        pool.beginDrain()
        try await group.waitForAll()
      }
      #expect(world.elapsed < .seconds(5))
    }
  }

  @Test("is made for an address, with and without a codec")
  func address() async throws {
    try await withServer(Self.echo) { world, _ in
      let address = world.host("server").address.withPort(7)
      let lines = try ConnectionPool(to: address, framing: .lines)
      let reply = try await lines.run { try await lines.withConnection { try await $0.request("hello") } }
      let bytes = try ConnectionPool(to: address)
      let echo = try await bytes.run {
        try await bytes.withConnection { connection in
          try await connection.send("abc\n")
          return try await connection.read(exactly: 4)
        }
      }
      #expect(reply == "hello" && echo == Array("abc\n".utf8))
    }
  }
}
