import AsyncSockets
import Framing
import TCPServer
import TestHarness
import TestSupport
import Testing

@testable import TCPClient

@Suite("A pool of connections that others have used") struct LendingTests {
  /// Runs `body` beside a server, whose handler knows how many connections it has had.
  private func withServer(
    _ handler: @escaping @Sendable (Lines, _ number: Int) async throws -> Void,
    _ body: @escaping @Sendable (SimulatedWorld, _ accepted: Shared<Int>) async throws -> Void
  ) async throws {
    try await withSimulation(seed: 9) { world in
      let accepted = Shared(0)
      try await world.host("server").serveLines { try await handler($0, accepted.increase()) }
      try await world.host("client").run { try await body(world, accepted) }
    }
  }

  /// Answers `alice` by `alice 1`, and what else a borrower needs to leave something behind.
  private static let answering: @Sendable (Lines, Int) async throws -> Void = { connection, number in
    for try await line in connection.inbound {
      if line.hasPrefix("slow") { try await connection.loop.sleep(for: .seconds(5)) }
      try await connection.send("\(line) \(number)")
    }
  }

  private static func one<F: Framing>(_ framing: F) throws -> ConnectionPool<FramedConnection<F>> {
    try ConnectionPool(to: "server", port: 7, framing: framing, configuration: PoolConfiguration(atMost: 1))
  }

  /// Words, which the decoder keeps until they are asked for, and of which it says nothing.
  private struct Words: Framing {
    struct Decoder: FrameDecoder {
      var lines = LineFraming().makeDecoder()
      var words: [String] = []

      mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> String? {
        if words.isEmpty, let line = try lines.decode(&buffer) {
          words = line.split(separator: " ").map { String($0) }
        }
        return words.isEmpty ? nil : words.removeFirst()
      }
    }

    func makeDecoder() -> Decoder { Decoder() }
    func makeEncoder() -> LineFraming.Encoder { LineFraming().makeEncoder() }
  }

  @Test("lends no frames that a decoder has kept for somebody else")
  func keptFrames() async throws {
    try await withServer(Self.answering) { _, accepted in
      let words = LineFraming().flatMap { $0.split(separator: " ").map { String($0) } }
      let pool = try Self.one(words)
      try await pool.run {
        for name in ["alice", "bob"] {
          let word = try await pool.withConnection { try await $0.request(name) }
          #expect(word == name)
        }
        #expect(accepted.value == 2)
        // Who takes all leaves the connection to others.
        for name in ["carol", "dave"] {
          let words = try await pool.withConnection { connection in
            try await connection.send(name)
            return [try await connection.next(), try await connection.next()]
          }
          #expect(words == [name, "3"])
        }
      }
      let own = try Self.one(Words())
      try await own.run {
        for name in ["alice", "bob"] {
          let word = try await own.withConnection { try await $0.request(name) }
          #expect(word == name)
        }
      }
    }
  }

  @Test("lends no half of a frame that a decoder keeps, also in a session of one's own")
  func halfFrames() async throws {
    typealias Blocks = StackedFraming<LengthPrefixFraming<IntegerField>, LineBytesFraming>
    struct Account: Sendable { let lines: FramedConnection<Blocks> }
    try await withServer({ connection, _ in
      for try await line in connection.inbound {
        // A block with a line and the half of another, which never becomes whole.
        let block = Array("\(line)\nhal".utf8)
        try await connection.connection.send([0, UInt8(block.count)] + block)
      }
    }) { _, accepted in
      let blocks = LengthPrefixFraming(.uint16).then(LineFraming().bytes)
      let pool = try ConnectionPool(to: .host("server", port: 7)) { Account(lines: $0.framed(blocks)) }
      try await pool.run {
        for name in ["alice", "bob"] {
          let line = try await pool.withConnection { account in
            try await account.lines.connection.send("\(name)\n")
            return try await account.lines.next()
          }
          #expect(line == Array(name.utf8))
        }
      }
      #expect(accepted.value == 2)
    }
  }

  @Test("lends no connection on which a frame was bad")
  func badFrames() async throws {
    try await withServer(Self.answering) { _, accepted in
      let pool = try Self.one(
        LineFraming().map { (line: String) throws -> String in
          if line.hasPrefix("x") { throw Oops() }
          return line
        })
      try await pool.run {
        let bad = try await pool.withConnection { connection in try? await connection.request("x") }
        let good = try await pool.withConnection { try await $0.request("y") }
        #expect(bad == nil && good == "y 2" && accepted.value == 2)
      }
    }
  }

  @Test("lends no connection whose requests have failed")
  func failedRequests() async throws {
    try await withServer({ connection, number in
      for try await line in connection.inbound {
        try await connection.send(line.hasSuffix("noise") ? "what?" : "\(line) \(number)")
      }
    }) { _, accepted in
      let pool = try ConnectionPool(to: .host("server", port: 7)) { connection in
        try connection.framed(.lines).requests(id: { $0.split(separator: " ").first.flatMap { Int($0) } })
      }
      try await pool.run {
        let lost = try await pool.withConnection { requests in try? await requests.request("1 noise") }
        let reply = try await pool.withConnection { try await $0.request("2 quiet") }
        #expect(lost == nil && reply == "2 quiet 2" && accepted.value == 2)
      }
    }
  }

  @Test(
    "lends no connection to which an answer may come yet for which somebody else has not waited",
    arguments: ["read", "request", "deadline in the past", "cancelled", "one of two requests"])
  func lateAnswers(how: String) async throws {
    try await withServer(Self.answering) { world, accepted in
      let pool = try Self.one(LineFraming())
      try await pool.run {
        try await pool.withConnection { connection in
          switch how {
          case "read":
            try await connection.send("slow")
            _ = try? await connection.next(deadline: .after(.seconds(1)))
          case "request": _ = try? await connection.request("slow", deadline: .after(.seconds(1)))
          case "deadline in the past":
            try await connection.send("slow")
            _ = try? await connection.next(deadline: .at(world.loop.now))
          case "cancelled":
            _ = try? await withDeadline(.after(.seconds(1))) { try await connection.request("slow") }
          default:
            // Which reads for both.
            async let first = connection.request("slow")
            async let second = connection.request("slow", deadline: .after(.seconds(1)))
            _ = try? await second
            _ = try await first
          }
        }
        let reply = try await pool.withConnection { try await $0.request("mine") }
        #expect(reply == "mine 2" && accepted.value == 2)
      }
    }
  }

  @Test("lends one whose borrower vouches that nothing will come, if there is nothing")
  func vouched() async throws {
    try await withServer(Self.answering) { _, accepted in
      let pool = try Self.one(LineFraming())
      try await pool.run {
        try await pool.withConnection(reuse: .ifAtRest) { connection in
          _ = try? await connection.next(deadline: .after(.seconds(1)))
        }
        await #expect(throws: Oops.self) {
          try await pool.withConnection(reuse: .ifAtRest) { connection in
            _ = try await connection.request("not found")
            throw Oops()
          }
        }
        let reply = try await pool.withConnection { try await $0.request("mine") }
        #expect(reply == "mine 1" && accepted.value == 1)
        await #expect(throws: Oops.self) {
          try await pool.withConnection(reuse: .ifAtRest) { connection in
            try await connection.send("unread")
            try await connection.loop.sleep(for: .seconds(1))
            throw Oops()
          }
        }
        let again = try await pool.withConnection { try await $0.request("mine") }
        #expect(again == "mine 2")
      }
    }
  }

  @Test("lends no connection that goes on with another codec")
  func switched() async throws {
    try await withServer(Self.answering) { _, _ in
      let pool = try Self.one(LineFraming())
      try await pool.run {
        try await pool.withConnection { connection in
          let raw = try connection.switching(to: .raw)
          try await raw.send(Array("bytes\n".utf8))
          while try await raw.next()?.last != 10 {}
        }
        let reply = try await pool.withConnection { try await $0.request("mine") }
        #expect(reply == "mine 2")
      }
    }
  }

  private static let greeting: @Sendable (Lines, Int) async throws -> Void = { connection, number in
    try await connection.send("220 welcome \(number)")
    try await answering(connection, number)
  }

  @Test(
    "gives what a server says first to the first who borrows the connection",
    arguments: [0, 5, 5_000])
  func greetings(milliseconds: Int) async throws {
    try await withServer(Self.greeting) { world, accepted in
      let pool = try ConnectionPool(
        to: .host("server", port: 7), configuration: PoolConfiguration(atMost: 2)
      ) { connection in
        if milliseconds > 0 { try await connection.loop.sleep(for: .milliseconds(milliseconds)) }
        return connection.framed(.lines)
      }
      try await pool.run {
        let greeting = try await pool.withConnection { try await $0.next() }
        let reply = try await pool.withConnection { try await $0.request("mine") }
        #expect(greeting == "220 welcome 1" && reply == "mine 1" && accepted.value == 1)
      }
    }
  }

  @Test("keeps a greeting for its first borrower while it idles, and for nobody else")
  func keptReady() async throws {
    try await withServer(Self.greeting) { world, accepted in
      var configuration = PoolConfiguration(atMost: 1)
      configuration.minimumIdle = 1
      configuration.idleTimeout = nil
      let pool = try ConnectionPool(
        to: "server", port: 7, framing: .lines, configuration: configuration,
        checking: { _ = try await $0.request("check") })
      try await pool.run {
        try await world.sleep(for: .seconds(20))
        #expect(accepted.value == 1 && pool.snapshot.counts.idle == 1)
        let ignored = try await pool.withConnection { _ in true }
        let greeting = try await pool.withConnection { try await $0.next() }
        #expect(ignored && greeting == "220 welcome 2", "one that nobody has read is read by nobody else")
      }
    }
  }

  @Test("says of a server that ends each connection that it does", arguments: [0, 10])
  func endedUnused(milliseconds: Int) async throws {
    try await withServer({ _, _ in }) { world, _ in
      for policy in [ReconnectPolicy.never, .fixed(.milliseconds(100), attempts: 3)] {
        var configuration = PoolConfiguration(atMost: 2)
        configuration.client.reconnect = policy
        let pool = try ConnectionPool(to: .host("server", port: 7), configuration: configuration) {
          connection in
          if milliseconds > 0 { try await connection.loop.sleep(for: .milliseconds(milliseconds)) }
          return connection.framed(.lines)
        }
        try await pool.run {
          for _ in 0..<2 {
            do {
              try await pool.withConnection { connection in
                guard try await connection.next() == nil else { throw Oops() }
              }
            } catch PoolError.unavailable(let error as PoolError.EndedUnused) {
              #expect("\(error)".hasSuffix("accepted the connection and ended it before it was used"))
            }
          }
          #expect(pool.snapshot.lastFailure is PoolError.EndedUnused)
        }
      }
    }
  }
}
