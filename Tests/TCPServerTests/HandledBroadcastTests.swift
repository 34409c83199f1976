import Framing
import Peers
import TCPServer
import TestHarness
import Testing

/// The chat of Docs/Server.md: who has said a name is in the room.
private struct Chatter: ConnectionHandler {
  let room: Broadcast<LineFraming>
  var name: String?

  mutating func received(_ line: String, _ context: borrowing HandlerContext<LineFraming>) throws {
    guard let name else {
      name = line
      room.join(context)
      try room.offer("\(line) has come", except: context)
      return
    }
    try room.offer("\(name): \(line)", except: context)
  }

  func closed(_ reason: CloseReason) {
    if let name { _ = try? room.offer("\(name) has left") }
  }
}

@Suite("A room of synchronous handlers", .timeLimit(.minutes(4)))
struct HandledBroadcastTests {
  private func withChat(
    loops: Int = 2, body: @escaping @Sendable (TCPServer, Broadcast<LineFraming>) async throws -> Void
  ) async throws {
    let room = Broadcast(LineFraming(), slowConsumers: .dropNewest)
    try await withAuditedLoops(count: loops) { _ in
      let server = try await TCPServer.bind(on: .loopback())
      async let running: Void = server.run(framing: .lines, handledBy: Chatter(room: room))
      try await body(server, room)
      await server.drain()
      try await running
    }
    #expect(room.count == 0)
  }

  @Test("carries what each says to all others, and tells who comes and who leaves, however they do")
  func chat() async throws {
    try await withChat { server, room in
      let (ann, bob, eve) = (
        try await server.connect(), try await server.connect(), try await server.connect()
      )
      for (number, (peer, name)) in [(ann, "Ann"), (bob, "Bob"), (eve, "Eve")].enumerated() {
        try peer.send("\(name)\n")
        try await eventually("\(name) is in") { room.count == number + 1 }
      }
      try bob.send("hello\n")
      try await onThread {
        try ann.expectLine("Bob has come")
        try ann.expectLine("Eve has come")
        try ann.expectLine("Bob: hello")
        try eve.expectLine("Bob: hello")
        try bob.expectLine("Eve has come")
        try eve.reset()
        try ann.expectLine("Eve has left")
        try bob.expectLine("Eve has left")
        bob.close()
        try ann.expectLine("Bob has left")
      }
      let delivery = try room.offer("anybody?")
      #expect(
        delivery.delivered.map { $0.peerAddress?.port } == [server.snapshot.connections[0].peerAddress?.port])
      try await onThread { try ann.expectLine("anybody?") }
      ann.close()
    }
  }

  @Test("is sent to from everywhere, while its members come, talk, go and are drained: no message is cut")
  func races() async throws {
    try await withChat { server, room in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          for number in 0..<(isSlowRun ? 20_000 : 300) {
            try await room.send("notice \(number) over")
            if number % 10 == 0 { await Task.yield() }
          }
        }
        for number in 0..<(isSlowRun ? 200 : 20) {
          group.addTask { [port = server.port] in
            try await onThread {
              let peer = try BlockingPeer.connect(port: port)
              try peer.send("\(number)\nsomething over\n")
              if number % 2 == 0 { return try peer.reset() }
              try peer.halfClose()
              let (bytes, _) = try peer.receiveToEnding()
              peer.close()
              for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
                let isWhole = ["over", "come", "left"].contains { line.hasSuffix($0) }
                guard isWhole else { throw Unexpected(description: "a line is cut: \(line)") }
              }
            }
          }
        }
        try await group.waitForAll()
      }
    }
  }
}
