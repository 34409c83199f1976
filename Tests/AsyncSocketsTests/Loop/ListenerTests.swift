import Glibc
import Peers
import TestHarness
import Testing

@testable import AsyncSockets

@Suite("A listener", .timeLimit(.minutes(4)))
struct ListenerTests {
  @Test("gives five connections for five connects (scenario F16)", arguments: Network.allCases)
  func five(network: Network) async throws {
    try await withListener(network, backlog: 5) { listener in
      let peers = try await onThread { try (0..<5).map { _ in try Network.connect(to: listener.address) } }
      var connections: [Connection] = []
      for _ in 0..<5 { connections.append(try await listener.accept(on: listener.loop)) }
      guard case .nothing = try listener.acceptNow(on: listener.loop, options: ConnectionOptions()) else {
        Issue.record("there was a sixth")
        return
      }
      #expect(Set(connections.map(ObjectIdentifier.init)).count == 5)
      for (connection, peer) in zip(connections, peers) {
        connection.abort()
        peer.close()
      }
    }
  }

  @Test("waits for a connection that comes later", arguments: [true, false])
  func waits(isOnLoop: Bool) async throws {
    try await withListener { listener in
      let accepted = Task(executorPreference: isOnLoop ? listener.loop.executor : nil) {
        try await listener.accept(on: listener.loop)
      }
      await letSettle(listener.loop)
      let peer = try await listener.connect()
      let connection = try await accepted.value
      #expect(connection.peerAddress?.port == (try peer.localPort))
      connection.abort()
      peer.close()
    }
  }

  @Test("knows who came, and to where (scenario G19)", arguments: [Network.ipv4, .ipv6])
  func addresses(network: Network) async throws {
    try await withListener(network) { listener in
      let (peer, connection) = try await listener.pair()
      let host = network == .ipv4 ? "127.0.0.1" : "::1"
      #expect(listener.address.host == host)
      #expect(listener.address.port != 0)
      #expect(connection.localAddress == listener.address)
      #expect(try connection.peerAddress == SocketAddress(host: host, port: peer.localPort))
      connection.abort()
      peer.close()
    }
  }

  @Test("on every address tells to which of them each connection came (scenario G19)")
  func wildcard() async throws {
    try await withLoop { loop in
      let listener = try Listener.bind(to: .any(), on: loop)
      defer { listener.close() }
      #expect(listener.address.host == "0.0.0.0")
      let port = try #require(listener.address.port)
      for host in ["127.0.0.1", "127.0.0.2"] {
        let peer = try await onThread { try BlockingPeer.connect(port: port, host: host) }
        let connection = try await listener.accept(on: loop)
        #expect(try connection.localAddress == SocketAddress(host: host, port: port))
        connection.abort()
        peer.close()
      }
    }
  }

  @Test("hands connections to another loop than its own")
  func otherLoop() async throws {
    try await withLoop { other in
      try await withListener { listener in
        let peer = try await listener.connect()
        let connection = try await listener.accept(on: other)
        #expect(connection.loop === other)
        try await eventually("the other loop watches it") { other.census.registrations == 1 }
        try await connection.send("hello\n")
        let line = try await onThread { try peer.receiveLine() }
        #expect(line == "hello")
        connection.abort()
        peer.close()
      }
    }
  }

  @Test("goes on after an accept was cancelled (P41)", arguments: [true, false])
  func cancellation(isOnLoop: Bool) async throws {
    try await withListener { listener in
      for _ in 0..<20 {
        let accept = Task(executorPreference: isOnLoop ? listener.loop.executor : nil) {
          try await listener.accept(on: listener.loop)
        }
        await letSettle(listener.loop)
        accept.cancel()
        await #expect(throws: CancellationError.self) { try await accept.value }
      }
      let (peer, connection) = try await listener.pair()
      connection.abort()
      peer.close()
    }
  }

  @Test("accepts nothing for a task that is cancelled already (P40)")
  func cancelledBefore() async throws {
    try await withListener { listener in
      let peer = try await listener.connect()
      await withThrowingTaskGroup(of: Void.self) { group in
        group.cancelAll()
        group.addTask { try await listener.accept(on: listener.loop).abort() }
        await #expect(throws: CancellationError.self) { try await group.next() }
      }
      let connection = try await listener.accept(on: listener.loop)
      #expect(connection.peerAddress?.port == (try peer.localPort))
      connection.abort()
      peer.close()
    }
  }

  @Test("does not wait for a task that was cancelled just before (P39)")
  func cancelledJustBefore() async throws {
    try await withListener(clock: ManualClock()) { door in
      guard case .nothing = try door.acceptNow(on: door.loop, options: ConnectionOptions()) else {
        Issue.record("there was a connection")
        return
      }
      await withThrowingTaskGroup(of: Void.self) { group in
        group.cancelAll()
        group.addTask { try await door.listener.waitUntilReady() }
        await #expect(throws: CancellationError.self) { try await group.next() }
        group.addTask { try await door.listener.pause() }
        await #expect(throws: CancellationError.self) { try await group.next() }
      }
    }
  }

  @Test("loses no connection to a cancellation that comes at the same moment (P17)")
  func cancellationRace() async throws {
    try await withListener { listener in
      var delivered = 0
      for _ in 0..<200 {
        let accept = Task { try await listener.accept(on: listener.loop) }
        async let peer = listener.connect()
        await Task.yield()
        accept.cancel()
        let connected = try await peer
        let connection: Connection
        switch await accept.result {
        case .success(let accepted): connection = accepted
        case .failure: connection = try await listener.accept(on: listener.loop)
        }
        #expect(connection.peerAddress?.port == (try connected.localPort))
        delivered += 1
        connection.abort()
        connected.close()
      }
      #expect(delivered == 200)
    }
  }

  @Test("refuses a second task that waits beside the first (P42)")
  func busy() async throws {
    try await withListener { listener in
      let first = Task(executorPreference: listener.loop.executor) {
        try await listener.accept(on: listener.loop)
      }
      await letSettle(listener.loop)
      await #expect(throws: SocketError.busy(operation: "accept")) {
        try await listener.accept(on: listener.loop)
      }
      let peer = try await listener.connect()
      try await first.value.abort()
      peer.close()
    }
  }

  @Test(
    "gives up at the deadline, keeps who comes later, and takes nobody too late (P46)",
    arguments: [true, false])
  func deadline(isOnLoop: Bool) async throws {
    let clock = ManualClock()
    try await withListener(clock: clock) { door in
      let accept = { @Sendable (deadline: Deadline) in
        try await door.listener.accept(on: door.loop, deadline: deadline)
      }
      async let late = socketError {
        try await isOnLoop
          ? onLoop(door.loop) { try await accept(.after(.seconds(5))) } : accept(.after(.seconds(5)))
      }
      try await eventually("it waits") { door.loop.census.deadlines == 1 }
      clock.advance(by: .seconds(5))
      let timedOut = SocketError.timedOut(operation: "accept on \(door.address)")
      #expect(await late == timedOut)
      let peer = try await door.connect()
      #expect(await socketError { try await accept(.at(door.loop.now)) } == timedOut)
      let connection = try await accept(.after(.seconds(1)))
      #expect(connection.peerAddress?.port == (try peer.localPort))
      connection.abort()
      peer.close()
    }
  }

  @Test("that closes tells whoever waits, and whoever comes", arguments: Network.allCases)
  func close(network: Network) async throws {
    try await withListener(network) { listener in
      let accept = Task(executorPreference: listener.loop.executor) {
        try await listener.accept(on: listener.loop)
      }
      await letSettle(listener.loop)
      listener.close()
      listener.close()
      await #expect(throws: SocketError.closed) { try await accept.value }
      await #expect(throws: SocketError.closed) { try await listener.accept(on: listener.loop) }
      #expect(throws: SocketError.closed) {
        try listener.acceptNow(on: listener.loop, options: ConnectionOptions())
      }
    }
  }

  @Test("that closes leaves the connections that it gave (P16)")
  func connectionsOutlive() async throws {
    try await withListener { listener in
      let (peer, connection) = try await listener.pair()
      listener.close()
      try await connection.send("still here\n")
      let line = try await onThread { try peer.receiveLine() }
      #expect(line == "still here")
      connection.abort()
      peer.close()
    }
  }

  @Test("takes no connection with options that cannot work")
  func badOptions() async throws {
    try await withListener { listener in
      let peer = try await listener.connect()
      var options = ConnectionOptions()
      options.limits.idle = .zero
      let error = await socketError(of: { try await listener.accept(on: listener.loop, options: options) })
      #expect(error?.isInvalid == true)
      try await listener.accept(on: listener.loop).abort()
      peer.close()
    }
  }
}
