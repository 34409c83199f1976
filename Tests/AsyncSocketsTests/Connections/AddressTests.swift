import AsyncSockets
import Framing
import Glibc
import Peers
import TestHarness
import Testing

@Suite("Addresses and counters of a connection", .timeLimit(.minutes(4)))
struct AddressTests {
  @Test("both ends of a TCP connection are known, also after it is closed", arguments: Route.tcp)
  func internet(_ route: Route) async throws {
    try await withLink(route) { link in
      let host = route.network == .ipv4 ? "127.0.0.1" : "::1"
      let port = try link.peer.localPort
      for isClosed in [false, true] {
        if isClosed {
          link.peer.close()
          await link.connection.close()
        }
        let peer = try #require(link.connection.peerAddress)
        #expect(peer.host == host && peer.port == port && peer.path == nil)
        #expect(peer.description == (route.network == .ipv4 ? "127.0.0.1:\(port)" : "[::1]:\(port)"))
        let local = try #require(link.connection.localAddress)
        #expect(local.host == host && local.path == nil)
        #expect(try #require(local.port) > 0 && local.port != port)
      }
    }
  }

  @Test("a Unix connection has the path of its listener and an unnamed peer", arguments: Route.unix)
  func unix(_ route: Route) async throws {
    try await withLink(route) { link in
      for isClosed in [false, true] {
        if isClosed { link.connection.abort() }
        #expect(link.connection.peerAddress?.path == "")
        #expect(link.connection.peerAddress?.description == "unix:(unnamed)")
        let local = try #require(link.connection.localAddress?.path)
        #expect(local.hasPrefix("/tmp/asyncsockets-"))
        #expect(link.connection.localAddress?.port == nil)
      }
    }
  }

  @Test(
    "a listener on every address does not hide where its connection came in",
    arguments: [Network.ipv4, .ipv6])
  func wildcard(_ network: Network) async throws {
    try await withAuditedLoops(clock: ManualClock()) { group in
      let loop = group.loops[0]
      let listener = try Listener.bind(to: network == .ipv4 ? .any() : .any6(), on: loop)
      defer { listener.close() }
      let port = try #require(listener.address.port)
      let host = network == .ipv4 ? "127.0.0.1" : "::1"
      let peer = try await onThread { try BlockingPeer.connect(port: port, host: host) }
      let connection = try await listener.accept(on: loop)
      #expect(connection.localAddress?.host == host)
      #expect(connection.localAddress?.port == port)
      connection.abort()
      peer.close()
    }
  }

  @Test("a framed connection tells the same as the one underneath", arguments: Route.executors)
  func framed(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      #expect(lines.peerAddress == link.connection.peerAddress)
      #expect(lines.localAddress == link.connection.localAddress)
      #expect(lines.connection === link.connection)
      #expect(!lines.isDraining && lines.closeReason == nil)
      lines.abort()
      #expect(lines.closeReason == .aborted)
      try await eventually("it is forgotten") { link.loop.census.registrations == 0 }
    }
  }

  @Test("an error names the peer, the call and the errno", arguments: Route.tcp)
  func errorText(_ route: Route) async throws {
    try await withLink(route) { link in
      try link.peer.reset()
      let error = try #require(await socketError { try await link.connection.read() })
      let peer = try #require(link.connection.peerAddress).description
      #expect("\(error)".contains(peer))
      #expect("\(error)".contains("recv"))
      #expect("\(error)".contains("ECONNRESET"))
    }
  }

  @Test("counters count what was read, accepted and written", arguments: Route.allCases)
  func counters(_ route: Route) async throws {
    try await withLink(route) { link in
      #expect(link.connection.counters.bytesRead == 0)
      #expect(link.connection.counters.bytesAccepted == 0)
      #expect(link.connection.counters.bytesWritten == 0)
      try link.peer.send("12345")
      #expect(try await link.connection.receive(exactly: 5).count == 5)
      try await link.connection.send("123")
      try await link.connection.send(payload(200_000))
      async let received = onThread { try link.peer.receive(exactly: 200_003) }
      try await link.connection.flush()
      #expect(link.connection.counters.bytesRead == 5)
      #expect(link.connection.counters.bytesAccepted == 200_003)
      #expect(link.connection.counters.bytesWritten == 200_003)
      _ = try await received
      link.connection.abort()
      #expect(link.connection.counters.bytesRead == 5)
      #expect(link.connection.counters.bytesWritten == 200_003)
    }
  }
}
