import Framing
import Peers
import TCPServer
import TestHarness
import Testing

/// Whether this machine has an IPv6 loopback address; some containers have none.
private let hasIPv6 = (try? BlockingListener(host: "::1")) != nil

@Suite("Addresses", .timeLimit(.minutes(4)))
struct AddressTests {
  @Test(
    "scenario G19: both ends of a connection know both addresses",
    arguments: [SocketAddress.loopback(), .any(), .loopback6(), .any6()])
  func identity(address: SocketAddress) async throws {
    let isIPv4 = !address.host.contains(":")
    guard isIPv4 || hasIPv6 else { return }
    let host = isIPv4 ? "127.0.0.1" : "::1"
    let log = EventLog()
    try await withAuditedLoops { _ in
      try await withServer(
        on: address, framing: LineFraming(), configuration: log.configuration()
      ) { connection in
        try await connection.send("\(connection.peerAddress?.description ?? "nobody")")
        try await connection.send("\(connection.localAddress?.description ?? "nowhere")")
      } body: { server in
        let port = server.port
        #expect(server.address.host == address.host)
        #expect(port != 0)
        let (lines, own) = try await onThread {
          let peer = try BlockingPeer.connect(port: port, host: host)
          return (try [peer.receiveLine(), peer.receiveLine()], try peer.localPort)
        }
        let shown = isIPv4 ? host : "[\(host)]"
        #expect(lines == ["\(shown):\(own)", "\(shown):\(port)"])
        try await log.untilClosed(1)
        let expected = try SocketAddress(host: host, port: own)
        for event in log.events {
          switch event {
          case .accepted(let peer), .closed(let peer, _, _): #expect(peer.address == expected)
          default: Issue.record("\(event)")
          }
        }
      }
    }
  }

  @Test(
    "scenario G25: one server listens on 127.0.0.1 and ::1 with one port, and one stop ends both",
    .enabled(if: hasIPv6))
  func twoAddresses() async throws {
    let log = EventLog()
    try await withAuditedLoops(count: 2) { _ in
      let server = try await bindBoth(log.configuration())
      let port = server.port
      #expect(server.addresses == [.loopback(port: port), .loopback6(port: port)])
      try await withRunning(server, framing: LineFraming(), handler: echo) { server in
        let peers = try await onThread {
          try ["127.0.0.1", "::1", "127.0.0.1", "::1"].map { try BlockingPeer.connect(port: port, host: $0) }
        }
        for peer in peers { #expect(try await peer.ask("hello") == "hello") }
        await server.drain()
        for peer in peers { try await onThread { try peer.expectEnd() } }
        for address in server.addresses { try await untilRefused(address) }
      }
    }
    #expect(log.reasons == Array(repeating: .drained, count: 4))
  }

  @Test("a server serves on listeners that it is given, and closes them")
  func givenListeners() async throws {
    try await withAuditedLoops(count: 2) { group in
      let listeners = try Listener.bind(to: [.loopback(), .loopback()], on: group.loops[1])
      let server = try TCPServer(listeners: listeners)
      #expect(server.addresses == listeners.map(\.address))
      try await withRunning(server, framing: LineFraming(), handler: echo) { server in
        for address in server.addresses {
          let peer = try await onThread { try BlockingPeer.connect(port: address.port ?? 0) }
          #expect(try await peer.ask("hello") == "hello")
          peer.close()
        }
        await server.drain()
        for address in server.addresses { try await untilRefused(address) }
      }
      let error = #expect(throws: SocketError.self) { try TCPServer(listeners: []) }
      #expect(error?.description.contains("at least 1 listener") == true)
    }
  }

  @Test("a server that cannot have all of its addresses has none of them")
  func allOrNone() async throws {
    try await withAuditedLoops { loops in
      let taken = try BlockingListener()
      let free = try await TCPServer.bind(on: .ownLoopback())
      await free.drain()
      let error = await #expect(throws: SocketError.self) {
        try await TCPServer.bind(on: free.address, .loopback(port: taken.port))
      }
      #expect("\(try #require(error))".contains("bind 127.0.0.1:\(taken.port): EADDRINUSE"))
      #expect(try await isRefused(free.address))
    }
  }

  /// A server with the same port on both loopback addresses. Which one is free on both shows only when trying.
  private func bindBoth(_ configuration: TCPServer.Configuration) async throws -> TCPServer {
    for _ in 0..<20 {
      let first = try await TCPServer.bind(on: .loopback())
      let port = first.port
      await first.drain()
      do throws(SocketError) {
        return try await TCPServer.bind(
          on: .loopback(port: port), .loopback6(port: port), configuration: configuration)
      } catch {
        guard "\(error)".contains("EADDRINUSE") else { throw error }
      }
    }
    throw PeerError.invalid("no port was free on both addresses")
  }
}
