import Framing
import Peers
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("Several loops", .serialized, .timeLimit(.minutes(4)))
struct BalanceTests {
  @Test("one acceptor spreads 1,000 connections over 2 loops, 500 to each")
  func balance() async throws {
    let served = Shared<[ObjectIdentifier: Int]>([:])
    try await withAuditedLoops(count: 2) { loops in
      try await withServer(framing: LineFraming()) { connection in
        #expect(connection.loop.isCurrent)
        served.change { $0[ObjectIdentifier(connection.loop), default: 0] += 1 }
        try await echo(connection)
      } body: { server in
        for round in 1...10 {
          let peers = try await server.connect(count: 100)
          for peer in peers { peer.close() }
          try await eventually("they have ended") { server.totals.ended.values.reduce(0, +) == round * 100 }
        }
        try await eventually("all have been served") { served.value.values.reduce(0, +) == 1000 }
      }
      #expect(loops.loops.map { served.value[ObjectIdentifier($0)] } == [500, 500])
    }
  }

  @Test("with reusePort several servers share a port, and the kernel chooses between them")
  func reusePort() async throws {
    var configuration = TCPServer.Configuration()
    configuration.connection.socketOptions = [.reusePort()]
    try await withAuditedLoops(count: 2) { loops in
      let address = try SocketAddress.ownLoopback()
      let first = try await TCPServer.bind(on: address, configuration: configuration)
      let second = try await TCPServer.bind(on: first.address, configuration: configuration)
      async let one: Void = first.run(framing: LineFraming(), echo)
      async let other: Void = second.run(framing: LineFraming(), echo)
      // The kernel chooses by the ports of both ends: of 100 it leaves none with nothing.
      let peers = try await first.connect(count: 100)
      for peer in peers { #expect(try await peer.ask("hello") == "hello") }
      #expect(first.totals.accepted + second.totals.accepted == 100)
      #expect(first.totals.accepted > 0)
      #expect(second.totals.accepted > 0)
      first.beginDrain()
      second.beginDrain()
      for peer in peers {
        try await onThread { try peer.expectEnd() }
        peer.close()
      }
      _ = try await (one, other)
    }
  }
}
