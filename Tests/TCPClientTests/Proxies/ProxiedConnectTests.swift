import AsyncSockets
import Framing
import TestHarness
import TestSupport
import Testing

@testable import TCPClient

/// Scripted proxies on a simulated network. The host `db.test` is in no simulation: whoever looked it up would fail.
@Suite("Connecting through a proxy", .timeLimit(.minutes(4))) struct ProxiedConnectTests {
  private typealias Script = @Sendable (TestPeer<RawFraming>) async throws -> Void

  private static let request = [5, 1, 0, 3, 7] + Array("db.test".utf8) + [0x15, 0x38]
  private static let success: [UInt8] = [5, 0, 0, 1, 127, 0, 0, 1, 4, 56]

  /// Runs `body` on another host than that where the script is played.
  private func withScript(
    seed: UInt64 = 1, _ script: @escaping Script,
    _ body: @escaping @Sendable (SimulatedWorld) async throws -> Void
  ) async throws {
    try await withSimulation(seed: seed) { world in
      try await world.host("proxy").run {
        try await withTestServer(.script(script), on: [.any(port: 1080)]) { _ in
          try await world.host("client").run { try await body(world) }
        }
      }
    }
  }

  private func failure(_ body: () async throws -> Connection) async throws -> ProxyError {
    do {
      try await body().abort()
    } catch let error as ProxyError {
      return error
    }
    throw SocketError.busy(operation: "it has connected")
  }

  @Test("SOCKS5: the proxy is given the name, and nothing that the target says at once is lost")
  func socks5() async throws {
    for seed in 1...5 as ClosedRange<UInt64> {
      try await withScript(seed: seed) { peer in
        try await peer.expect(bytes: [5, 1, 0])
        try await peer.send(bytes: [5, 0])
        try await peer.expect(bytes: Self.request)
        try await peer.send(bytes: Self.success + Array("220 welcome\r\n".utf8))
        try await peer.expect(bytes: Array("QUIT\n".utf8))
        try await peer.send(bytes: Array("bye\n".utf8))
      } _: { _ in
        let proxy = Proxy.socks5("proxy")
        try await Connector().withConnection(to: "db.test", port: 5432, through: proxy) { raw in
          let connection = raw.framed(.lines)
          let (welcome, bye) = (try await connection.next(), try await connection.request("QUIT"))
          #expect(welcome == "220 welcome" && bye == "bye")
        }
      }
    }
  }

  @Test("SOCKS5 with a password")
  func socks5Password() async throws {
    try await withScript { peer in
      try await peer.expect(bytes: [5, 2, 0, 2])
      try await peer.send(bytes: [5, 2])
      try await peer.expect(bytes: [1, 2] + Array("me".utf8) + [6] + Array("secret".utf8))
      try await peer.send(bytes: [1, 0])
      try await peer.expect(bytes: [5, 1, 0, 1, 192, 0, 2, 7, 0x15, 0x38])
      try await peer.send(bytes: Self.success)
    } _: { world in
      let address = world.host("proxy").address.withPort(1080)
      let proxy = Proxy.socks5(at: address, credentials: .init(username: "me", password: "secret"))
      let connection = try await Connector().connect(to: SocketAddress("192.0.2.7:5432"), through: proxy)
      #expect(connection.peerAddress == address)
      connection.abort()
    }
  }

  @Test("HTTP CONNECT: the proxy is given the name, and nothing that the target says at once is lost")
  func http() async throws {
    for seed in 1...5 as ClosedRange<UInt64> {
      try await withScript(seed: seed) { peer in
        try await peer.expect(
          bytes: Array(
            "CONNECT db.test:5432 HTTP/1.1\r\nHost: db.test:5432\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n"
              .utf8))
        try await peer.send(bytes: Array("HTTP/1.1 200 OK\r\nX: y\r\n\r\n220 welcome\r\n".utf8))
      } _: { _ in
        let proxy = Proxy.http("proxy", port: 1080, credentials: .init(username: "me", password: "secret"))
        try await Connector().withConnection(to: "db.test", port: 5432, through: proxy) { raw in
          let welcome = try await raw.framed(.lines).next()
          #expect(welcome == "220 welcome")
        }
      }
    }
  }

  @Test("what the proxy answers is an error that names it, the target and the answer")
  func refusals() async throws {
    try await withScript { peer in
      try await peer.expect(bytes: [5, 1, 0])
      try await peer.send(bytes: [5, 0])
      try await peer.expect(bytes: Self.request)
      try await peer.send(bytes: [5, 5, 0, 1, 0, 0, 0, 0, 0, 0])
    } _: { _ in
      let error = try await failure {
        try await Connector().connect(to: "db.test", port: 5432, through: .socks5("proxy"))
      }
      #expect(error.reason == .refused(.connectionRefused))
      #expect(
        "\(error)" == "cannot connect to db.test:5432 through socks5://proxy:1080: connection refused (5)")
    }
    try await withScript { peer in
      try await peer.expectFrame()
      try await peer.send(bytes: Array("HTTP/1.1 403 Not here\r\n\r\n".utf8))
    } _: { _ in
      let error = try await failure {
        try await Connector().connect(to: "db.test", port: 5432, through: .http("proxy", port: 1080))
      }
      #expect(error.reason == .status(403, line: "HTTP/1.1 403 Not here"))
      #expect(
        "\(error)" == "cannot connect to db.test:5432 through http://proxy:1080: HTTP/1.1 403 Not here")
    }
  }

  @Test("a proxy that is not there, that leaves, or that speaks something else is told apart from its target")
  func failures() async throws {
    try await withSimulation(seed: 1) { world in
      _ = world.host("proxy")
      let error = try await failure {
        try await Connector().connect(to: "db.test", port: 5432, through: .socks5("proxy"))
      }
      guard case .unreachable(.connectFailed("proxy", _)) = error.reason else { throw error }
      #expect(error.isTransient)
      let unknown = try await failure {
        try await Connector().connect(to: "db.test", port: 5432, through: .socks5("nowhere"))
      }
      guard case .unreachable(.unresolved("nowhere", _)) = unknown.reason else { throw unknown }
    }
    let scripts: [(Script, @Sendable (ProxyError.Reason) -> Bool)] = [
      ({ $0.disconnect() }, { $0 == .ended }),
      ({ try await $0.send(bytes: [5]) }, { $0 == .ended }),
      ({ $0.terminate() }, { if case .lost = $0 { true } else { false } }),
      (
        { try await $0.send(bytes: Array("SSH-2.0".utf8)) },
        { $0 == .malformed("malformed at offset 0: the version is 83, not 5") }
      ),
    ]
    for (script, isExpected) in scripts {
      try await withScript(script) { _ in
        let error = try await failure {
          try await Connector().connect(to: "db.test", port: 5432, through: .socks5("proxy"))
        }
        #expect(isExpected(error.reason), "\(error)")
      }
    }
  }

  @Test("the deadline covers the connection to the proxy and all of its answers")
  func deadline() async throws {
    try await withScript { peer in
      try await peer.expect(bytes: [5, 1, 0])
      try await peer.loop.sleep(for: .seconds(2))
      try await peer.send(bytes: [5, 0])
      try await peer.expect(bytes: Self.request)
      try await peer.loop.sleep(for: .seconds(2))
    } _: { world in
      let begin = world.elapsed
      let expected = SocketError.timedOut(operation: "connect db.test:5432 through socks5://proxy:1080")
      await #expect(throws: expected) {
        var connector = Connector()
        connector.deadline = .after(.seconds(3))
        return try await connector.connect(to: "db.test", port: 5432, through: .socks5("proxy"))
      }
      #expect(world.elapsed - begin >= .seconds(3) && world.elapsed - begin < .milliseconds(3100))
    }
  }

  @Test(
    "a client that stays connected does so through its proxy, and gives up when that takes no credentials")
  func client() async throws {
    let isOpen = Shared(true)
    try await withSimulation(seed: 1) { world in
      world.host("proxy").start {
        let listener = try Listener.bind(to: .any(port: 1080), on: world.loop)
        defer { listener.close() }
        while true {
          let peer = try await listener.accept(on: world.loop)
          defer { peer.abort() }
          _ = try await peer.read(exactly: 4)
          try await peer.send([5, 2])
          _ = try await peer.read(exactly: 11)
          guard isOpen.value else {
            try await peer.send([1, 1])
            await peer.close()
            continue
          }
          try await peer.send([1, 0])
          _ = try await peer.read(exactly: Self.request.count)
          try await peer.send(Self.success + Array("welcome\n".utf8))
          _ = try await peer.read()
        }
      }
      try await world.sleep(for: .seconds(1))
      var configuration = TCPClient.Configuration()
      configuration.proxy = .socks5("proxy", credentials: .init(username: "me", password: "secret"))
      let client = TCPClient(to: "db.test", port: 5432, configuration: configuration)
      let count = Shared(0)
      let error = await #expect(throws: ProxyError.self) {
        try await client.run(framing: .lines) { connection in
          let line = try await connection.next()
          if line != "welcome" { throw Oops() }
          if count.increase() == 3 { isOpen.set(false) }
        }
      }
      #expect(error?.reason == .credentialsRejected && count.value == 3)
    }
    try await withScript { peer in
      try await peer.expect(bytes: [5, 1, 0])
      try await peer.send(bytes: [5, 0])
      try await peer.expect(bytes: Self.request)
      try await peer.send(bytes: Self.success)
    } _: { _ in
      try await TCPClient.connect(to: "db.test", port: 5432, through: .socks5("proxy")).abort()
    }
  }

  @Test("cancelled at any moment, nothing is left (P38)")
  func cancellation() async throws {
    let sweep = try await sweepCancellation(seed: 1) { world in
      let host = world.host("proxy")
      let listener = try await host.run { try Listener.bind(to: .any(port: 1080), on: world.loop) }
      defer { listener.close() }
      host.start {
        guard let peer = try? await listener.accept(on: world.loop) else { return }
        defer { peer.abort() }
        guard (try? await peer.read(exactly: 3)) ?? nil != nil else { return }
        try? await peer.send([5, 0])
        guard (try? await peer.read(exactly: Self.request.count)) ?? nil != nil else { return }
        try? await peer.send(Self.success)
        _ = try? await peer.read()
      }
      try await world.host("client").run {
        let connection = try await Connector().connect(to: "db.test", port: 5432, through: .socks5("proxy"))
        connection.abort()
      }
    }
    #expect(sweep.tried == sweep.points && sweep.cancelled > 0)
  }

  @Test("a proxy of which no address was even tried is unreachable, and not too slow")
  func nothingTried() async throws {
    struct Strange: Resolver {
      func resolve(_ host: String, port: UInt16) async throws -> [SocketAddress] {
        throw SocketError.connectFailed(host: host, [])
      }
    }
    let environment = Environment(loops: try Environment.current.loops, resolver: Strange())
    var connector = Connector(environment: environment)
    connector.deadline = .never
    let error = try await failure {
      try await connector.connect(to: "db.test", port: 5432, through: .socks5("proxy"))
    }
    #expect(error.reason == .unreachable(.connectFailed(host: "proxy", [])))
  }

  @Test("the first bytes of the target prove the connection healthy when they come", arguments: [0, 2])
  func health(seconds: Int) async throws {
    try await withScript { peer in
      try await peer.expect(bytes: [5, 1, 0])
      try await peer.send(bytes: [5, 0])
      try await peer.expect(bytes: Self.request)
      if seconds == 0 {
        try await peer.send(bytes: Self.success + [7])
      } else {
        try await peer.send(bytes: Self.success)
        try await peer.connection.loop.sleep(for: .seconds(seconds))
        try await peer.send(bytes: [7])
      }
      _ = try? await peer.connection.read()
    } _: { world in
      var configuration = TCPClient.Configuration()
      configuration.proxy = .socks5("proxy")
      let (connected, healthy) = (Shared(Duration.zero), Shared<Duration?>(nil))
      configuration.onEvent = { event in
        if case .connected = event { connected.set(world.elapsed) }
        if case .healthy = event { healthy.set(world.elapsed - connected.value) }
      }
      let client = TCPClient(to: "db.test", port: 5432, configuration: configuration)
      let _: Bool = try await client.run { connection in
        _ = try await connection.read()
        try await world.sleep(for: .seconds(10))
        return .finish(true)
      }
      let delay = try #require(healthy.value)
      // The proxy's answer and the byte may have had ways of different lengths.
      let difference = delay - Duration.seconds(seconds)
      #expect(difference > .milliseconds(-500) && difference < .milliseconds(500))
    }
  }

  @Test(
    "what no proxy can be asked for is refused before anything is opened",
    arguments: [
      ("", 80), ("a b", 80), ("a\r\nX: y", 80), ("name:80", 80), ("ü.test", 80), ("db.test", 0),
      ("127.0.0.1", 0), (String(repeating: "x", count: 256), 80), ("fe80::1%lo", 80),
    ] as [(String, UInt16)])
  func badTargets(host: String, port: UInt16) async throws {
    let error = await #expect(throws: SocketError.self) {
      try await Connector().connect(to: host, port: port, through: .socks5("127.0.0.1", port: 9))
    }
    guard case .invalid = error else {
      Issue.record("\(error.map(\.description) ?? "")")
      return
    }
  }

  @Test("a password is not printed")
  func secrets() {
    let proxy = Proxy.http("proxy", port: 3128, credentials: .init(username: "me", password: "secret"))
    var dumped = ""
    dump(proxy, to: &dumped)
    #expect("\(proxy)" == "http://proxy:3128")
    #expect(!"\(String(reflecting: proxy)) \(dumped)".contains("secret"))
    #expect("\(Proxy.socks5("::1"))" == "socks5://[::1]:1080")
  }
}
