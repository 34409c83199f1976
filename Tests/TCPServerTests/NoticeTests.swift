import Framing
import Peers
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("A notice to all connections of a server", .timeLimit(.minutes(4)))
struct NoticeTests {
  @Test("reaches them all, on every loop and whatever their handlers do, between their own messages")
  func all() async throws {
    let door = Door()
    try await withAuditedLoops(count: 2) { _ in
      let server = try await TCPServer.bind(on: .ownLoopback())
      async let running: Void = server.run(framing: LineFraming()) { connection in
        if try await connection.next() == "busy" { try await door.pass(on: connection.loop) }
        try await echo(connection)
      }
      let peers = try await server.connect(count: 6)
      for (number, peer) in peers.enumerated() {
        try peer.send(number % 2 == 0 ? "busy\n" : "first\nsecond\n")
      }
      for number in [1, 3, 5] { try await onThread { try peers[number].expectLine("second") } }
      let delivery = try await server.broadcast("restarting", framing: LineFraming())
      #expect(Set(delivery.delivered.map(\.?.port)) == Set(try peers.map { try $0.localPort }))
      #expect(delivery.description == "6 delivered")
      for peer in peers { try await onThread { try peer.expectLine("restarting") } }
      door.open()
      server.beginDrain()
      for peer in peers {
        try await onThread { try peer.expectEnd() }
        peer.close()
      }
      try await running
      #expect(try await server.broadcast([1]).delivered == [])
    }
  }

  @Test("is not kept waiting by a peer that reads nothing, and says who it was")
  func slow() async throws {
    let log = EventLog()
    try await withAuditedLoops { _ in
      let server = try await TCPServer.bind(on: .ownLoopback(), configuration: log.configuration())
      async let running: Void = server.run(framing: LineFraming(), echo)
      let slow = try await server.connect(receiveBuffer: 4096)
      let quick = try await server.connect()
      #expect(try await quick.ask("ready") == "ready")
      #expect(try await slow.ask("ready") == "ready")
      let block = [UInt8](repeating: 10, count: 1 << 20)
      var blocks = 0
      while true {
        let delivery = try await server.broadcast(block)
        try await onThread { _ = try quick.receive(exactly: block.count) }
        if delivery.dropped.isEmpty {
          blocks += 1
          try #require(blocks < 100, "more than the kernel holds")
          continue
        }
        let port = try slow.localPort
        #expect(delivery.dropped.map(\.?.port) == [port])
        #expect(delivery.delivered.count == 1)
        break
      }
      let error = await #expect(throws: SocketError.self) {
        try await server.broadcast([1], slowConsumers: .dropOldest(keeping: 1))
      }
      #expect("\(String(describing: error))".contains("join them to a Broadcast"))
      let delivery = try await server.broadcast([10], slowConsumers: .disconnect)
      #expect(delivery.disconnected.count == 1)
      try await log.untilClosed(1)
      #expect(log.reasons == [.limit(.slowConsumer)])
      slow.close()
      quick.close()
      server.beginDrain()
      try await running
    }
  }
}
