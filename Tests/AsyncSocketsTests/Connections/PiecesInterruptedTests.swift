import Framing
import Peers
import TestHarness
import Testing

@testable import AsyncSockets

/// One of the reads that take a piece, by its name; each waits for more than four bytes.
struct Piece: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let read: @Sendable (_ connection: Connection, _ deadline: Deadline) async throws -> Void

  static let all = [
    Piece(testDescription: "exactly") { _ = try await $0.read(exactly: 8, deadline: $1) },
    Piece(testDescription: "until") { _ = try await $0.read(until: bytes(";"), deadline: $1) },
    Piece(testDescription: "integer") { _ = try await $0.read(UInt64.self, deadline: $1) },
    Piece(testDescription: "peek") { _ = try await $0.peek(atLeast: 8, deadline: $1) },
    Piece(testDescription: "using") {
      var decoder = NetstringFraming().makeDecoder()
      _ = try await $0.read(using: &decoder, deadline: $1)
    },
  ]
}

@Suite("Pieces of a stream whose reads are interrupted", .serialized, .timeLimit(.minutes(4)))
struct PiecesInterruptedTests {
  @Test("a cancelled read of a piece consumes nothing (P41)", arguments: Medium.allCases, Piece.all)
  func cancelledRead(_ medium: Medium, _ piece: Piece) async throws {
    try await withFeed(medium) { feed in
      try feed.arrive("8:ab")
      let error = try await cancelled(
        once: { hasReader(feed.connection) && feed.connection.counters.bytesRead == 4 },
        { try await piece.read(feed.connection, .never) })
      #expect(error is CancellationError)
      try feed.arrive("cdefgh,")
      #expect(try await feed.connection.receive(exactly: 11) == bytes("8:abcdefgh,"))
    }
  }

  @Test("a read of a piece that times out consumes nothing (P46)", arguments: Medium.allCases, Piece.all)
  func timedOut(_ medium: Medium, _ piece: Piece) async throws {
    try await withFeed(medium) { feed in
      try feed.arrive("8:ab")
      async let error = socketError { try await piece.read(feed.connection, .after(.seconds(1))) }
      try await eventually("the beginning is read and more awaited") {
        hasReader(feed.connection) && feed.connection.counters.bytesRead == 4
      }
      feed.clock.advance(by: .seconds(1))
      #expect(await error?.isTimedOut == true)
      #expect(feed.loop.census.deadlines == 0)
      try feed.arrive("cdefgh,")
      #expect(try await feed.connection.receive(exactly: 11) == bytes("8:abcdefgh,"))
    }
  }

  @Test(
    "a deadline in the past fails though the piece is there (P46)", arguments: Medium.allCases, Piece.all)
  func deadlineInThePast(_ medium: Medium, _ piece: Piece) async throws {
    try await withFeed(medium) { feed in
      try feed.arrive("8:abcdefgh,;")
      #expect(try await feed.connection.peek(atLeast: 12)?.count == 12)
      let error = await socketError { try await piece.read(feed.connection, .after(.zero)) }
      #expect(error?.isTimedOut == true)
      #expect(try await feed.connection.read(exactly: 12) == bytes("8:abcdefgh,;"))
    }
  }

  @Test(
    "what one read has searched in vain is not hidden from the next", arguments: Medium.allCases,
    Piece.all.dropLast())
  func searchedInVain(_ medium: Medium, _ piece: Piece) async throws {
    try await withFeed(medium) { feed in
      let connection = feed.connection
      for _ in 0..<2 {
        try feed.arrive("a\nb")
        async let error = socketError { try await piece.read(connection, .after(.seconds(1))) }
        try await eventually("all is read and more awaited") {
          hasReader(connection) && unreadBytes(connection) == 3
        }
        feed.clock.advance(by: .seconds(1))
        #expect(await error?.isTimedOut == true)
        #expect(try await connection.framed(LineFraming()).next() == "a")
        try feed.arrive("\n")
        #expect(try await connection.read(until: bytes("\n")) == bytes("b"))
      }
    }
  }

  @Test("a frame that was given up does not hide bytes from a piece", arguments: Medium.allCases)
  func afterFrame(_ medium: Medium) async throws {
    try await withFeed(medium) { feed in
      let lines = feed.connection.framed(try LineFraming("\r\n"))
      try feed.arrive("a;b\r")
      let error = try await cancelled(
        once: { hasReader(feed.connection) && unreadBytes(feed.connection) == 4 },
        { _ = try await lines.next() })
      #expect(error is CancellationError)
      #expect(try await feed.connection.read(until: bytes(";")) == bytes("a"))
      try feed.arrive("\n")
      #expect(try await lines.next() == "b")
    }
  }

  @Test("a piece is refused while another task reads (P42)", arguments: Medium.allCases, Piece.all)
  func busy(_ medium: Medium, _ piece: Piece) async throws {
    try await withFeed(medium) { feed in
      async let first = feed.connection.read(exactly: 5)
      try await untilReading(feed.connection)
      #expect(await socketError { try await piece.read(feed.connection, .never) }?.isBusy == true)
      #expect(await socketError { try feed.connection.takeLeftovers() }?.isBusy == true)
      try feed.arrive("first")
      #expect(try await first == bytes("first"))
    }
  }

  @Test("after this side has closed, no piece is given", arguments: Medium.allCases, Piece.all)
  func closed(_ medium: Medium, _ piece: Piece) async throws {
    try await withFeed(medium) { feed in
      try feed.arrive("8:abcdefgh,;")
      #expect(try await feed.connection.peek(atLeast: 12)?.count == 12)
      feed.connection.abort()
      #expect(await socketError { try await piece.read(feed.connection, .never) } == .closed)
    }
  }

  @Test(
    "what came of a piece before the reset can still be read, then the reset is thrown (P27)",
    arguments: Route.tcp, Piece.all)
  func reset(_ route: Route, _ piece: Piece) async throws {
    try await withLink(route) { link in
      try link.peer.send("8:ab")
      async let error = socketError { try await piece.read(link.connection, .never) }
      try await eventually("the beginning is read and more awaited") {
        hasReader(link.connection) && link.connection.counters.bytesRead == 4
      }
      try link.peer.reset()
      #expect(await error?.isReset == true)
      #expect(try await link.connection.read() == bytes("8:ab"))
      for _ in 0..<2 {
        #expect(await socketError { try await piece.read(link.connection, .never) }?.isReset == true)
      }
    }
  }

  @Test("of a drain, pieces that had arrived are given, then the end", arguments: Medium.allCases)
  func drained(_ medium: Medium) async throws {
    try await withFeed(medium) { feed in
      let connection = feed.connection
      try feed.arrive([0, 2] + bytes("abline;"))
      #expect(try await connection.read(UInt16.self) == 2)
      connection.handle.beginDrain()
      #expect(try await connection.read(exactly: 2) == bytes("ab"))
      #expect(try await connection.peek() == bytes("line;"))
      #expect(try await connection.read(until: bytes(";")) == bytes("line"))
      try feed.arrive("too late")
      #expect(try await connection.peek() == nil)
      #expect(try await connection.read(exactly: 1) == nil)
      #expect(try await connection.read(until: bytes(";")) == nil)
    }
  }

  @Test("of a drain, a piece that has begun may become whole, and is the last", arguments: Medium.allCases)
  func begunWhenDrained(_ medium: Medium) async throws {
    try await withFeed(medium) { feed in
      try feed.arrive("hal")
      async let piece = feed.connection.read(exactly: 4)
      try await eventually("it has begun") {
        hasReader(feed.connection) && feed.connection.counters.bytesRead == 3
      }
      feed.connection.handle.beginDrain()
      try await untilReading(feed.connection)
      try feed.arrive("f and more")
      #expect(try await piece == bytes("half"))
      #expect(try await feed.connection.read(exactly: 4) == nil)
      #expect(try await feed.connection.read(UInt8.self) == nil)
      #expect(try await feed.connection.peek() == nil)
    }
  }

  /// What has been received and not yet read.
  private func unreadBytes(_ connection: Connection) -> Int { connection.core.reading.contents.buffer.count }
}
