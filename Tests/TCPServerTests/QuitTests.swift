import Framing
import Peers
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("A handler that ends the conversation", .timeLimit(.minutes(4)))
struct QuitTests {
  @Test(
    "scenario G4: what comes after quit is not delivered, and the goodbye arrives, then the end",
    arguments: [(LineFraming(), "bye\n"), (LineFraming.anyNewline, "bye\r\n")],
    ["one\nquit\nignored\n", "one\nquit\n|ignored\n", "one\nquit\n|ign|ored\n|more\n"])
  func quit(mode: (framing: LineFraming, goodbye: String), segments: String) async throws {
    let log = EventLog()
    let lines = Shared<[String]>([])
    try await withAuditedLoops { _ in
      try await withServer(framing: mode.framing, configuration: log.configuration()) { connection in
        for try await line in connection.inbound {
          lines.change { $0.append(line) }
          if line == "quit" {
            try await connection.send("bye")
            return
          }
        }
      } body: { server in
        let peer = try await server.connect()
        // The first segment comes whole; what follows may meet a connection that is closing.
        let pieces = segments.split(separator: "|")
        let ending = try await onThread {
          for piece in pieces { try peer.send(String(piece)) }
          return try peer.receiveToEnding()
        }
        #expect(String(decoding: ending.bytes, as: UTF8.self) == mode.goodbye)
        #expect(ending.ending == .end)
        peer.close()
        try await log.untilClosed(1)
      }
    }
    #expect(lines.value == ["one", "quit"])
    #expect(log.reasons == [.closed])
  }

  @Test("a goodbye of 4 MB reaches a peer whose input nobody reads")
  func closeWithUnreadInput() async throws {
    let size = 4 << 20
    try await withAuditedLoops { _ in
      try await withServer(framing: RawFraming()) { connection in
        _ = try await connection.next()
        try await connection.send([UInt8](repeating: 7, count: size))
      } body: { server in
        let peer = try await server.connect(receiveBuffer: 65_536)
        let ending = try await onThread {
          try peer.send("go")
          _ = try peer.receive(exactly: 1)
          try peer.send([UInt8](repeating: 0, count: 100_000))
          return try peer.receiveToEnding()
        }
        #expect(ending.bytes.count == size - 1)
        #expect(ending.ending == .end)
        peer.close()
      }
    }
  }
}
