import Glibc
import Peers
import TestHarness
import TestSupport
import Testing

@testable import AsyncSockets

@Suite("The socket under a connection", .timeLimit(.minutes(4)))
struct SocketOptionsTests {
  @Test("sends small messages at once unless told otherwise", arguments: Route.tcp)
  func noDelay(_ route: Route) async throws {
    try await withLink(route) { link in
      #expect(try link.connection.value(of: .noDelay))
      try link.connection.set(.noDelay(false))
      #expect(try !link.connection.value(of: .noDelay))
    }
  }

  @Test("keeps the options that it is given", arguments: Route.tcp)
  func options(_ route: Route) async throws {
    try await withLink(route) { link in
      let connection = link.connection
      #expect(try !connection.value(of: .keepAlive))
      try connection.set(.keepAlive(idle: .seconds(60), interval: .seconds(10), count: 3))
      #expect(try connection.value(of: .keepAlive))
      #expect(try connection.value(of: .keepAliveIdle) == .seconds(60))
      #expect(try connection.value(of: .keepAliveInterval) == .seconds(10))
      #expect(try connection.value(of: .keepAliveCount) == 3)
      try connection.set(.noKeepAlive)
      #expect(try !connection.value(of: .keepAlive))
      try connection.set(.userTimeout(.seconds(20)))
      #expect(try connection.value(of: .userTimeout) == .seconds(20))
      try connection.set(.sendBuffer(8192))
      #expect(try connection.value(of: .sendBuffer) == 16384)
      try connection.set(.receiveBuffer(8192))
      #expect(try connection.value(of: .receiveBuffer) == 16384)
      try connection.set(.raw(level: SOL_SOCKET, name: SO_OOBINLINE, value: 1))
      #expect(try connection.value(of: .raw(level: SOL_SOCKET, name: SO_OOBINLINE)) == 1)
    }
  }

  @Test("has from its birth the options given to the listener or to accept", arguments: Network.allCases)
  func atBirth(network: Network) async throws {
    try await withLoop { loop in
      var options = ConnectionOptions()
      options.socketOptions = [.sendBuffer(8192), .receiveBuffer(16384)]
      let inherited = try Listener.bind(
        to: network.freeAddress, on: loop, socketOptions: options.socketOptions)
      let plain = try Listener.bind(to: network.freeAddress, on: loop)
      for listener in [inherited, plain] {
        let (peer, connection) = try await Door(listener: listener, loop: loop).pair(options: options)
        #expect(try connection.value(of: .sendBuffer) == 16384)
        #expect(try connection.value(of: .receiveBuffer) == 32768)
        connection.abort()
        peer.close()
        listener.close()
      }
    }
  }

  @Test("of two listeners that share an address may be told to")
  func reusePort() async throws {
    try await withLoop { loop in
      let first = try Listener.bind(to: .loopback(), on: loop, socketOptions: [.reusePort()])
      let second = try Listener.bind(to: first.address, on: loop, socketOptions: [.reusePort()])
      #expect(second.address == first.address)
      first.close()
      second.close()
    }
  }

  @Test("that the system refuses an option says which, with the errno", arguments: Route.unix)
  func refused(_ route: Route) async throws {
    try await withLink(route) { link in
      let connection = link.connection
      let set = #expect(throws: SocketError.self) { try connection.set(.userTimeout(.seconds(1))) }
      #expect(set?.description.contains("setsockopt(userTimeout)") == true)
      #expect(set?.description.contains("EOPNOTSUPP") == true)
      let get = #expect(throws: SocketError.self) { try connection.value(of: .userTimeout) }
      #expect(get?.description.contains("getsockopt(userTimeout)") == true)
      #expect(throws: SocketError.self) { try connection.set(.sendBuffer(0)) }
    }
  }

  @Test("is refused an option at accept: that connection is closed, and the listener goes on")
  func refusedAtAccept() async throws {
    try await withListener(.unix) { door in
      var options = ConnectionOptions()
      options.socketOptions = [.noDelay()]
      let refused = try await door.connect()
      let error = await socketError { try await door.accept(on: door.loop, options: options) }
      #expect(error?.description.contains("setsockopt(noDelay)") == true)
      let rest = try await onThread { try refused.receiveToEnd() }
      #expect(rest == [])
      let (peer, connection) = try await door.pair()
      connection.abort()
      peer.close()
    }
  }

  @Test("takes no option that cannot work, before anything is opened")
  func invalid() async throws {
    try await withLoop(kernel: NoSockets()) { loop in
      let error = #expect(throws: SocketError.self) {
        try Listener.bind(to: .loopback(), on: loop, socketOptions: [.sendBuffer(0)])
      }
      #expect(error?.isInvalid == true)
    }
  }

  @Test("knows who is at the other end of a Unix socket", arguments: Route.unix)
  func credentials(_ route: Route) async throws {
    try await withLink(route) { link in
      let credentials = try #require(try link.connection.peerCredentials())
      #expect(credentials == PeerCredentials(processID: getpid(), userID: getuid(), groupID: getgid()))
      #expect(try link.connection.tcpInfo() == nil)
    }
  }

  @Test("tells of the path of a TCP connection", arguments: Route.tcp)
  func tcpInfo(_ route: Route) async throws {
    try await withLink(route) { link in
      try link.peer.send("12345")
      #expect(try await link.connection.receive(exactly: 5).count == 5)
      let info = try #require(try link.connection.tcpInfo())
      #expect(info.state == .established)
      #expect(info.congestionWindow > 0)
      #expect(info.sendSegmentSize > 0)
      #expect(info.roundTripTime > .zero && info.roundTripTime < .seconds(10))
      if let received = info.bytesReceived { #expect(received == 5) }
      #expect(try link.connection.peerCredentials() == nil)
      try link.peer.halfClose()
      #expect(try await link.connection.read() == nil)
      #expect(try link.connection.tcpInfo()?.state == .closeWait)
    }
  }

  @Test("is gone when the connection has ended, and says so", arguments: Route.allCases)
  func closed(_ route: Route) async throws {
    try await withLink(route) { link in
      link.connection.abort()
      #expect(throws: SocketError.closed) { try link.connection.set(.sendBuffer(8192)) }
      #expect(throws: SocketError.closed) { try link.connection.value(of: .sendBuffer) }
      #expect(throws: SocketError.closed) { try link.connection.peerCredentials() }
      #expect(throws: SocketError.closed) { try link.connection.tcpInfo() }
      #expect(throws: SocketError.closed) { try link.connection.takeLeftovers() }
    }
  }

  @Test("may be none: a transport of one's own has no options")
  func transport() async throws {
    try await withLoop { loop in
      let connection = try Connection(over: ScriptedTransport(), on: loop)
      let error = #expect(throws: SocketError.self) { try connection.set(.noDelay()) }
      #expect(error?.description.contains("no socket") == true)
      #expect(try connection.tcpInfo() == nil)
      #expect(try connection.peerCredentials() == nil)
      connection.abort()
    }
  }
}

/// A kernel that would tell if anything were opened.
private final class NoSockets: Kernel {
  func socket(family: Int32) -> Int {
    Issue.record("a socket was opened")
    return -Int(EMFILE)
  }
}
