import Glibc
import Peers
import TestHarness
import Testing

@testable import AsyncSockets

@Suite("A resolver", .timeLimit(.minutes(4)))
struct ResolverTests {
  @Test("finds the system's own names")
  func localhost() async throws {
    let addresses = try await SystemResolver.shared.resolve("localhost", port: 80)
    #expect(addresses.contains(.loopback(port: 80)) || addresses.contains(.loopback6(port: 80)))
    #expect(Set(addresses).count == addresses.count)
  }

  @Test("says in the system's words why a name has no address")
  func reasons() async {
    #expect(NameLookup.reason(EAI_NONAME) == "EAI_NONAME (Name or service not known)")
    #expect(NameLookup.reason(EAI_AGAIN) == "EAI_AGAIN (Temporary failure in name resolution)")
    #expect(NameLookup.reason(-5).hasPrefix("EAI_NODATA ("))
    #expect(NameLookup.reason(12345) == "error 12345 (Unknown error)")
    let resolver = SystemResolver { host in .failure(.unresolved(host: host, reason: "because")) }
    let error = await socketError { try await resolver.resolve("nowhere", port: 1) }
    #expect(error?.description == "no address found for \"nowhere\": because")
  }

  @Test(
    "is never asked for what can be no name", arguments: ["", "a\0b", String(repeating: "x", count: 254)])
  func noName(host: String) async {
    let resolver = SystemResolver { _ in
      Issue.record("the system was asked")
      return .success([])
    }
    let error = await socketError { try await resolver.resolve(host, port: 1) }
    #expect(error?.isInvalid == true)
  }

  @Test("uses at most eight threads, which hold up neither loops nor tasks, and end when nothing waits (P57)")
  func threads() async throws {
    let gate = Gate()
    let resolver = SystemResolver { host in
      gate.enter()
      return .success([.loopback()])
    }
    try await withThrowingTaskGroup(of: [SocketAddress].self) { group in
      for number in 0..<40 { group.addTask { try await resolver.resolve("host\(number)", port: 1) } }
      try await eventually("eight look-ups are under way") { gate.entered == 8 }
      // All the while, tasks and loops go on.
      try await withListener { door in
        for _ in 0..<20 {
          let (peer, connection) = try await door.pair()
          try await connection.send("x")
          connection.abort()
          peer.close()
        }
      }
      #expect(gate.entered == 8)
      gate.open()
      var count = 0
      for try await addresses in group {
        #expect(addresses == [.loopback(port: 1)])
        count += 1
      }
      #expect(count == 40)
    }
    #expect(gate.entered == 40)
    #expect(gate.most <= 8)
    try await eventually("its threads have ended") { resolver.threadCount == 0 }
  }

  @Test("that hangs seven times still answers an eighth (P57)")
  func sevenHang() async throws {
    let gate = Gate()
    let resolver = SystemResolver { host in
      if host != "quick" { gate.enter() }
      return .success([.loopback()])
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<7 { group.addTask { _ = try await resolver.resolve("slow", port: 1) } }
      try await eventually("seven hang") { gate.entered == 7 }
      for _ in 0..<10 {
        #expect(try await resolver.resolve("quick", port: 2) == [.loopback(port: 2)])
      }
      gate.open()
      try await group.waitForAll()
    }
  }

  @Test("lets a cancelled task go though its thread still hangs, and drops the answer (P38, P57)")
  func cancellation() async throws {
    let gate = Gate()
    let asked = Recorder<String>()
    let resolver = SystemResolver(threadLimit: 1) { host in
      asked.append(host)
      gate.enter()
      return .success([.loopback()])
    }
    let hanging = Task { try await resolver.resolve("hanging", port: 1) }
    try await eventually("it hangs") { gate.entered == 1 }
    let queued = Task { try await resolver.resolve("queued", port: 1) }
    try await eventually("one waits") { resolver.waitingCount == 1 }
    for task in [queued, hanging] {
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
    }
    #expect(resolver.waitingCount == 0)
    let next = Task { try await resolver.resolve("next", port: 1) }
    gate.open()
    #expect(try await next.value == [.loopback(port: 1)])
    // What was cancelled while it waited was never asked.
    #expect(asked.all == ["hanging", "next"])
  }

  @Test("refuses more look-ups than it is built for")
  func full() async throws {
    let gate = Gate()
    let resolver = SystemResolver(threadLimit: 1, capacity: 2) { _ in
      gate.enter()
      return .success([.loopback()])
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { _ = try await resolver.resolve("first", port: 1) }
      try await eventually("it hangs") { gate.entered == 1 }
      for _ in 0..<2 { group.addTask { _ = try await resolver.resolve("queued", port: 1) } }
      try await eventually("two wait") { resolver.waitingCount == 2 }
      let error = await socketError { try await resolver.resolve("last", port: 1) }
      #expect(error == .unresolved(host: "last", reason: "too many look-ups wait already"))
      gate.open()
      try await group.waitForAll()
    }
  }

  @Test("that answers an address that cannot be is told so, and no other is tried")
  func impossibleAddress() async throws {
    try await withLoop(clock: ManualClock()) { loop in
      let long = SocketAddress.unix(path: "/tmp/" + String(repeating: "x", count: 200))
      let environment = Environment(loops: try EventLoopGroup([loop]), resolver: OneAddress(address: long))
      let error = await socketError {
        try await Connector(environment: environment).connect(to: "name", port: 1)
      }
      #expect(error?.isInvalid == true)
    }
  }

  @Test("that hangs is left at the connector's deadline, and no socket is opened (P53)")
  func deadline() async throws {
    try await withRaceTrack([4]) { track in
      let gate = Gate()
      let connector = Connector(
        environment: Environment(
          loops: try EventLoopGroup([track.loop]),
          resolver: SystemResolver { _ in
            gate.enter()
            return .success([])
          }))
      let connection = Task { try await connector.connect(to: "slow", port: 80) }
      try await eventually("it hangs") { gate.entered == 1 && track.loop.census.deadlines == 1 }
      await letSettle(track.loop)
      track.clock.advance(by: .seconds(10))
      await #expect(throws: SocketError.timedOut(operation: "resolve slow")) { try await connection.value }
      #expect(track.kernel.attempts == [])
      gate.open()
    }
  }

  @Test("that hangs lets the connector be cancelled (P38)", arguments: [true, false])
  func cancelledConnect(isOnLoop: Bool) async throws {
    try await withRaceTrack([4]) { track in
      let gate = Gate()
      let connector = Connector(
        environment: Environment(
          loops: try EventLoopGroup([track.loop]),
          resolver: SystemResolver { _ in
            gate.enter()
            return .success([])
          }))
      let connection = Task(executorPreference: isOnLoop ? track.loop.executor : nil) {
        try await connector.connect(to: "slow", port: 80)
      }
      try await eventually("it hangs") { gate.entered == 1 }
      connection.cancel()
      await #expect(throws: CancellationError.self) { try await connection.value }
      gate.open()
    }
  }

  @Test("of the environment is asked for names, and never for numeric addresses")
  func environment() async throws {
    try await withAuditedLoops(clock: ManualClock()) { group in
      let listener = try Listener.bind(to: .loopback(), on: group.loops[0])
      defer { listener.close() }
      let port = try #require(listener.address.port)
      let resolver = StaticResolver(names: ["here": [.loopback()], "nothing": []])
      try await Environment.$current.withValue(Environment(loops: group, resolver: resolver)) {
        try await Connection.connect(to: "here", port: port).abort()
        try await Connection.connect(to: "127.0.0.1", port: port).abort()
        for host in ["elsewhere", "nothing"] {
          let error = await socketError { try await Connection.connect(to: host, port: port) }
          guard case .unresolved(host, _) = error else {
            Issue.record("\(String(describing: error))")
            return
          }
        }
      }
    }
  }
}

/// Where the threads of a resolver hang until it opens.
private final class Gate: Sendable {
  private struct State {
    var isOpen = false
    var entered = 0
    var inside = 0
    var most = 0
  }

  private let state = Lock(State())

  var entered: Int { state.withLock { $0.entered } }
  /// How many were inside at once.
  var most: Int { state.withLock { $0.most } }

  func open() { state.withLock { $0.isOpen = true } }

  /// Blocks the thread until the gate opens.
  func enter() {
    state.withLock { state in
      state.entered += 1
      state.inside += 1
      state.most = max(state.most, state.inside)
    }
    while !state.withLock({ $0.isOpen }) { usleep(1000) }
    state.withLock { $0.inside -= 1 }
  }
}

private struct OneAddress: Resolver {
  let address: SocketAddress
  func resolve(_ host: String, port: UInt16) async throws -> [SocketAddress] { [address] }
}
