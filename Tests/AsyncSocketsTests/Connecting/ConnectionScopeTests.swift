import Peers
import TestHarness
import TestSupport
import Testing

@testable import AsyncSockets

@Suite("The scope of a client's connection", .timeLimit(.minutes(4)))
struct ConnectionScopeTests {
  @Test("closes in good order when it is left, and answers what the body returns", arguments: [true, false])
  func normal(byName: Bool) async throws {
    try await withListener { door in
      let connector = try connector(on: door.loop)
      let port = try #require(door.address.port)
      async let received = serve(door)
      func body(_ connection: Connection) async throws -> Connection {
        try await connection.send("all of it")
        return connection
      }
      let connection =
        byName
        ? try await connector.withConnection(to: "127.0.0.1", port: port, body)
        : try await connector.withConnection(to: door.address, body)
      #expect(connection.closeReason == .closed)
      #expect(try await received == Array("all of it".utf8))
    }
  }

  @Test("ends the connection when it is left by an error, which is the reason and goes on to the caller")
  func error() async throws {
    struct Odd: Error {}
    try await withListener { door in
      let connector = try connector(on: door.loop)
      async let received = serve(door)
      let kept = Recorder<Connection>()
      await #expect(throws: Odd.self) {
        try await connector.withConnection(to: door.address) { connection in
          kept.append(connection)
          try await connection.send("so far")
          throw Odd()
        }
      }
      #expect(kept.all.first?.closeReason == .handlerThrew("Odd()"))
      #expect(try await received == Array("so far".utf8))
    }
  }

  @Test("ends the connection when its task is cancelled")
  func cancellation() async throws {
    try await withListener { door in
      let connector = try connector(on: door.loop)
      async let received = serve(door)
      let kept = Recorder<Connection>()
      let client = Task {
        try await connector.withConnection(to: door.address) { connection in
          kept.append(connection)
          _ = try await connection.read()
        }
      }
      try await eventually("it reads") { kept.all.first.map(hasReader) == true }
      client.cancel()
      await #expect(throws: CancellationError.self) { try await client.value }
      #expect(kept.all.first?.closeReason == .cancelled)
      #expect(try await received == [])
    }
  }

  /// Accepts one connection and answers what comes until its end.
  private func serve(_ door: Door) async throws -> [UInt8] {
    let connection = try await door.accept(on: door.loop)
    let received = try await connection.receiveToEnd()
    await connection.close()
    return received
  }
}
