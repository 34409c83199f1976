import Glibc
import Peers
import TestHarness
import TestSupport
import Testing

@testable import AsyncSockets

@Suite("A connector", .timeLimit(.minutes(4)))
struct ConnectorTests {
  @Test("connects to a listener, and the two converse", arguments: Route.allCases)
  func converse(_ route: Route) async throws {
    try await withListener(route.network) { door in
      try await run(route, on: door.loop) {
        let connection = try await connector(on: door.loop).connect(to: door.address)
        let accepted = try await door.accept(on: door.loop)
        #expect(connection.loop === door.loop)
        #expect(connection.peerAddress == door.address)
        if route.network == .unix {
          #expect(connection.localAddress == .unix(path: ""))
        } else {
          #expect(connection.localAddress == accepted.peerAddress)
          #expect(try connection.value(of: .noDelay))
        }
        try await connection.send("over")
        #expect(try await accepted.receive(exactly: 4) == Array("over".utf8))
        try await accepted.send("and back")
        #expect(try await connection.receive(exactly: 8) == Array("and back".utf8))
        try await connection.finishWriting()
        #expect(try await accepted.read() == nil)
        await accepted.close()
        #expect(try await connection.read() == nil)
        await connection.close()
        #expect(connection.closeReason == .closedByPeer)
      }
    }
  }

  @Test("needs one line")
  func oneLine() async throws {
    try await withAuditedLoops(clock: ManualClock()) { group in
      let listener = try Listener.bind(to: .loopback(), on: group.loops[0])
      defer { listener.close() }
      let port = try #require(listener.address.port)
      let connections = [
        try await Connection.connect(to: "127.0.0.1", port: port),
        try await Connection.connect(to: listener.address, deadline: .after(.seconds(60))),
      ]
      for connection in connections {
        #expect(connection.loop === group.loops[0])
        #expect(connection.peerAddress == listener.address)
        connection.abort()
      }
    }
  }

  @Test("stays on the loop that its caller runs on, and else takes the loops in turn")
  func loops() async throws {
    try await withAuditedLoops(count: 3, clock: ManualClock()) { group in
      let listener = try Listener.bind(to: .loopback(), on: group.loops[0])
      defer { listener.close() }
      let address = listener.address
      let connector = Connector()
      var used: [ObjectIdentifier] = []
      for _ in 0..<3 {
        let connection = try await connector.connect(to: address)
        used.append(ObjectIdentifier(connection.loop))
        connection.abort()
      }
      #expect(Set(used).count == 3)
      try await onLoop(group.loops[2]) {
        for _ in 0..<3 {
          let connection = try await connector.connect(to: address)
          #expect(connection.loop.isCurrent)
          connection.abort()
        }
      }
    }
  }

  @Test(
    "is told that nobody listens: one error with errno, call and address (scenario F15, P53)",
    arguments: Route.tcp)
  func refused(_ route: Route) async throws {
    try await withLoop(clock: ManualClock()) { loop in
      let host = route.network == .ipv4 ? "127.0.0.1" : "::1"
      let port = try ReservedPort(host: host)
      let address = try SocketAddress(host: host, port: port.number)
      let expected = SocketError.failed(.connectionRefused, call: "connect", address: address)
      try await run(route, on: loop) {
        let connector = try connector(on: loop)
        await #expect(throws: expected) { try await connector.connect(to: address) }
        let byName = await socketError { try await connector.connect(to: host, port: port.number) }
        #expect(
          byName == .connectFailed(host: host, [ConnectFailure(address: address, error: expected)]))
        #expect(byName?.description.contains("connect \(address): ECONNREFUSED") == true)
      }
    }
  }

  @Test("is told of a Unix socket that is not there, and of one that nobody serves (P53)")
  func unixFailures() async throws {
    try await withLoop(clock: ManualClock()) { loop in
      let connector = try connector(on: loop)
      let missing = Network.unix.freeAddress
      await #expect(throws: SocketError.failed(Errno(ENOENT), call: "connect", address: missing)) {
        try await connector.connect(to: missing)
      }
      let stale = Network.unix.freeAddress
      let path = try #require(stale.path)
      try leaveSocket(at: path)
      defer { unsafe unlink(path) }
      await #expect(throws: SocketError.failed(.connectionRefused, call: "connect", address: stale)) {
        try await connector.connect(to: stale)
      }
    }
  }

  @Test("gives up at the deadline when nobody answers (P53)", arguments: Route.executors)
  func blackHole(_ route: Route) async throws {
    let clock = ManualClock()
    try await withLoop(clock: clock) { loop in
      let hole = try await BlackHole()
      let address = hole.address
      try await run(route, on: loop) {
        let connector = try connector(on: loop)
        let connection = Task { try await connector.connect(to: address) }
        try await eventually("it waits") { loop.census.deadlines == 1 && loop.census.registrations == 1 }
        await letSettle(loop)
        clock.advance(by: .seconds(10) - .nanoseconds(1))
        await letSettle(loop)
        #expect(loop.census.deadlines == 1)
        clock.advance(by: .nanoseconds(1))
        let expected = SocketError.timedOut(operation: "connect \(address)")
        await #expect(throws: expected) { try await connection.value }
      }
      hole.close()
    }
  }

  @Test("is cancelled while it waits for a host that is silent (P38)", arguments: Route.executors)
  func cancelledInBlackHole(_ route: Route) async throws {
    try await withLoop(clock: ManualClock()) { loop in
      let hole = try await BlackHole()
      let address = hole.address
      try await run(route, on: loop) {
        let connector = try connector(on: loop)
        let connection = Task { try await connector.connect(to: address) }
        try await eventually("it waits") { loop.census.deadlines == 1 && loop.census.registrations == 1 }
        connection.cancel()
        await #expect(throws: CancellationError.self) { try await connection.value }
      }
      hole.close()
    }
  }

  @Test("does not connect for a task that is cancelled already (P40)")
  func cancelledBefore() async throws {
    try await withRaceTrack([4]) { track in
      await withThrowingTaskGroup(of: Void.self) { group in
        group.cancelAll()
        group.addTask { try await track.connector.connect(to: track.addresses[0]).abort() }
        await #expect(throws: CancellationError.self) { try await group.next() }
      }
      #expect(track.kernel.attempts == [])
    }
  }

  @Test(
    "goes on to a host's second address when the first refuses or is silent (P55)", arguments: [true, false])
  func secondAddress(isSilent: Bool) async throws {
    let clock = ManualClock()
    try await withLoop(clock: clock) { loop in
      let first = try SocketAddress("127.0.0.2:0")
      let listeners = try Listener.bind(to: [.loopback(), first], on: loop, backlog: 1)
      let port = try #require(listeners[0].address.port)
      var queued: [BlockingPeer] = []
      if isSilent {
        // A queue of length 1 holds two.
        let door = Door(listener: listeners[1], loop: loop)
        for _ in 0..<2 { queued.append(try await door.connect()) }
      } else {
        listeners[1].close()
      }
      let resolver = StaticResolver(names: ["host": [first, .loopback()]])
      let connector = Connector(
        environment: Environment(loops: try EventLoopGroup([loop]), resolver: resolver))
      let connecting = Task { try await connector.connect(to: "host", port: port) }
      if isSilent {
        try await eventually("the first is tried") {
          loop.census.registrations == 3 && loop.census.deadlines == 1
        }
        await letSettle(loop)
        clock.advance(by: .milliseconds(250))
      }
      let connection = try await connecting.value
      #expect(connection.peerAddress == .loopback(port: port))
      connection.abort()
      for peer in queued { peer.close() }
      for listener in listeners { listener.close() }
    }
  }

  @Test("does not take a connection to itself for one to a server (P53)", arguments: [Network.ipv4, .ipv6])
  func selfConnect(network: Network) async throws {
    try await withLoop(clock: ManualClock()) { loop in
      let free = try ReservedPort(host: network == .ipv4 ? "127.0.0.1" : "::1").number
      let address = network.freeAddress.withPort(free)
      var connector = try connector(on: loop)
      connector.localAddress = address
      await #expect(throws: SocketError.failed(.connectionRefused, call: "connect", address: address)) {
        try await connector.connect(to: address)
      }
      // A reset, not a close: the port is not kept waiting.
      try Listener.bind(to: address, on: loop).close()
    }
  }

  @Test("comes from the address and port that it is told to")
  func localAddress() async throws {
    try await withListener { door in
      var connector = try connector(on: door.loop)
      for port in [0, try ReservedPort(host: "127.0.0.2").number] {
        connector.localAddress = try SocketAddress(host: "127.0.0.2", port: port)
        for _ in 0..<2 {
          let connection = try await connector.connect(to: door.address)
          let accepted = try await door.accept(on: door.loop)
          #expect(accepted.peerAddress?.host == "127.0.0.2")
          #expect(connection.localAddress == accepted.peerAddress)
          if port != 0 { #expect(accepted.peerAddress?.port == port) }
          // This side ends first and is left in TIME_WAIT, which must not be in the way of the next.
          try await connection.finishWriting()
          _ = try await accepted.read()
          await accepted.close()
          await connection.close()
        }
      }
    }
  }

  @Test("cannot come from an address that this machine does not have, and says that (P53)")
  func foreignLocalAddress() async throws {
    try await withLoop(clock: ManualClock()) { loop in
      var connector = try connector(on: loop)
      let local = try SocketAddress("192.0.2.1:0")
      connector.localAddress = local
      let error = await socketError { try await connector.connect(to: .loopback(port: 9)) }
      #expect(error == .failed(.addressNotAvailable, call: "bind", address: local))
      #expect(error?.description.hasSuffix("this machine does not have the address") == true)
    }
  }

  @Test("that finds no free port says that (P53)")
  func noPort() async throws {
    try await withRaceTrack([4]) { track in
      track.kernel.answer(track.addresses[0], EADDRNOTAVAIL)
      let error = await socketError { try await track.connector.connect(to: track.addresses[0]) }
      #expect(error == .failed(.addressNotAvailable, call: "connect", address: track.addresses[0]))
      #expect(error?.description.contains("no local port is free for this destination") == true)
    }
  }

  @Test("waits for room in the accept queue of a Unix listener, until the deadline")
  func crowded() async throws {
    let clock = ManualClock()
    try await withListener(.unix, backlog: 1, clock: clock) { door in
      let connector = try connector(on: door.loop)
      var queued: [BlockingPeer] = []
      for _ in 0..<2 { queued.append(try await door.connect()) }
      let patient = Task { try await connector.connect(to: door.address) }
      try await eventually("it waits") { door.loop.census.deadlines == 1 }
      await letSettle(door.loop)
      try await door.accept(on: door.loop).abort()
      clock.advance(by: .milliseconds(10))
      try await patient.value.abort()
      let hasty = Task { try await connector.connect(to: door.address) }
      try await eventually("it waits") { door.loop.census.deadlines == 1 }
      await letSettle(door.loop)
      clock.advance(by: .seconds(10))
      let error = await socketError { try await hasty.value }
      #expect(error == .timedOut(operation: "connect \(door.address), whose accept queue is full"))
      for peer in queued { peer.close() }
    }
  }

  @Test("sets its options before it connects")
  func options() async throws {
    try await withListener { door in
      var connector = try connector(on: door.loop)
      connector.options.socketOptions = [.receiveBuffer(16384), .userTimeout(.seconds(7)), .noDelay(false)]
      let connection = try await connector.connect(to: door.address)
      #expect(try connection.value(of: .receiveBuffer) == 32768)
      #expect(try connection.value(of: .userTimeout) == .seconds(7))
      #expect(try !connection.value(of: .noDelay))
      connection.abort()
    }
  }

  @Test("that is told what cannot work says so before anything is opened")
  func invalid() async throws {
    try await withRaceTrack([4, 4]) { track in
      let address = track.addresses[0]
      func problem(
        _ part: String, to target: SocketAddress? = nil, _ change: (inout Connector) -> Void = { _ in }
      ) async {
        var connector = track.connector
        change(&connector)
        let error = await socketError { try await connector.connect(to: target ?? address) }
        #expect(error?.isInvalid == true && error?.description.contains(part) == true, "\(part)")
      }
      await problem("attemptDelay must be at least 10 ms") { $0.attemptDelay = .milliseconds(9) }
      await problem("firstFamilyCount must be at least 1") { $0.firstFamilyCount = 0 }
      await problem("limits.idle") { $0.options.limits.idle = .zero }
      await problem("sendBuffer") { $0.options.socketOptions = [.sendBuffer(0)] }
      await problem("localAddress") { $0.localAddress = .unix(path: "/x") }
      await problem("not of the same family") { $0.localAddress = .loopback6() }
      await problem("port", to: .loopback(port: 0))
      await problem("empty", to: .unix(path: ""))
      var connector = track.connector
      connector.localAddress = .loopback6()
      for (host, port, part) in [
        ("host", 0, "port"), ("127.0.0.1", 80, "family"), ("host", 80, "no address of host"),
        ("fe80::1%nowhere0", 80, "no network interface"), ("[::1]", 80, "no numeric"),
      ] as [(String, UInt16, String)] {
        let error = await socketError { [connector] in try await connector.connect(to: host, port: port) }
        #expect(error?.isInvalid == true && error?.description.contains(part) == true, "\(host) \(port)")
      }
      #expect(track.kernel.attempts == [])
    }
  }
}

/// A connector on one loop. Where time is real its deadline is out of reach: a test may have to wait for its turn.
func connector(on loop: EventLoop) throws -> Connector {
  var connector = Connector(environment: Environment(loops: try EventLoopGroup([loop])))
  if loop.core.clock === MonotonicClock.shared { connector.deadline = .never }
  return connector
}
