import Framing
import Peers
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("A peer that has ended its own stream", .timeLimit(.minutes(4)))
struct HalfCloseTests {
  @Test(
    "scenario F12: a peer that has ended its stream still receives the whole reply",
    arguments: [100, 9_000_000])
  func replyAfterHalfClose(size: Int) async throws {
    let log = EventLog()
    try await withAuditedLoops { _ in
      try await withServer(framing: LineFraming.anyNewline, configuration: log.configuration()) {
        connection in
        for try await line in connection.inbound {
          #expect(line == "req")
          try await connection.send(String(repeating: "x", count: size))
        }
      } body: { server in
        let port = server.port
        let reply = try await onThread {
          let peer = try BlockingPeer.connect(port: port)
          try peer.send("req\n")
          try peer.halfClose()
          return try peer.receiveToEnd()
        }
        #expect(reply.count == size + 2)
        #expect(reply == Array(repeating: UInt8(ascii: "x"), count: size) + Array("\r\n".utf8))
        try await log.untilClosed(1)
      }
    }
    #expect(log.reasons == [.closedByPeer])
  }

  @Test("scenario G24: the end of the peer's stream ends nothing else, and is told when the server closes")
  func writingAfterTheEnd() async throws {
    let log = EventLog()
    let inputHasEnded = Shared(false)
    let door = Door()
    try await withAuditedLoops { _ in
      try await withServer(framing: LineFraming.anyNewline, configuration: log.configuration()) {
        connection in
        for try await _ in connection.inbound {}
        inputHasEnded.set(true)
        try await door.pass(on: connection.connection.loop)
        try await connection.send("still here")
      } body: { server in
        let peer = try await server.connect()
        try peer.halfClose()
        try await eventually("the handler sees the end") { inputHasEnded.value }
        #expect(log.reasons == [])
        door.open()
        try await onThread { try peer.expectEnd(after: "still here\r\n") }
        try await log.untilClosed(1)
      }
    }
    #expect(log.reasons == [.closedByPeer])
  }

  @Test("the last line needs no terminator when the peer ends its stream after it")
  func unterminatedLastLine() async throws {
    try await withAuditedLoops { _ in
      try await withServer(framing: LineFraming(), handler: echo) { server in
        let peer = try await server.connect()
        try peer.send("one\ntwo")
        try peer.halfClose()
        try await onThread { try peer.expectEnd(after: "one\ntwo\n") }
      }
    }
  }
}
