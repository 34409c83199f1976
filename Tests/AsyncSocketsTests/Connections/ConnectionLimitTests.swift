import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

@Suite("Limits of a connection", .timeLimit(.minutes(4)))
struct ConnectionLimitTests {
  @Test("a peer that sends nothing at all ends at the limit of the first byte", arguments: Route.allCases)
  func firstByte(_ route: Route) async throws {
    try await withLink(route, options: .limits { $0.firstByte = .seconds(10) }) { link in
      async let error = socketError { try await link.connection.read() }
      try await untilReading(link.connection)
      try await link.pass(.seconds(9))
      #expect(hasReader(link.connection))
      try await link.pass(.seconds(1))
      #expect(await error == .limit(.firstByte))
      #expect(link.connection.closeReason == .limit(.firstByte))
    }
  }

  @Test("the first byte takes its limit away", arguments: Route.executors)
  func firstByteCame(_ route: Route) async throws {
    try await withLink(route, options: .limits { $0.firstByte = .seconds(10) }) { link in
      try link.peer.send("x")
      #expect(try await link.connection.read() == bytes("x"))
      async let received = link.connection.read()
      try await untilReading(link.connection)
      try await link.pass(.seconds(1000))
      try link.peer.send("y")
      #expect(try await received == bytes("y"))
    }
  }

  @Test("a first byte that waits for a handler has come, however late it is read", arguments: Route.executors)
  func firstByteWaits(_ route: Route) async throws {
    try await withLink(route, options: .limits { $0.firstByte = .seconds(10) }) { link in
      try link.peer.send("x")
      try await link.pass(.seconds(60))
      #expect(try await link.connection.read() == bytes("x"))
    }
  }

  @Test(
    "a message that comes one byte at a time ends at its limit, though each read makes progress (P47, P58)",
    arguments: Route.allCases)
  func trickle(_ route: Route) async throws {
    let options = ConnectionOptions.limits {
      $0.message = .seconds(30)
      $0.idle = .seconds(20)
    }
    try await withLink(route, options: options) { link in
      let lines = link.connection.framed(LineFraming())
      try link.peer.send("whole\n")
      #expect(try await lines.next() == "whole")
      async let error = socketError { try await lines.next() }
      try await untilReading(link.connection)
      try await link.pass(.seconds(15))
      // From here on the message counts, not from the wait for it.
      try link.peer.send("x")
      try await untilRead(link, 7)
      for count in 8...9 {
        try await link.pass(.seconds(10))
        try link.peer.send("x")
        try await untilRead(link, UInt64(count))
      }
      try await link.pass(.milliseconds(9_999))
      #expect(link.connection.closeReason == nil)
      try await link.pass(.milliseconds(1))
      #expect(await error == .limit(.message))
      #expect(link.connection.closeReason == .limit(.message))
    }
  }

  @Test("each message has its time, also when one read brings the end of one and the beginning of another")
  func eachMessage() async throws {
    let route = Route(network: .ipv4, isOnLoop: true)
    try await withLink(route, options: .limits { $0.message = .seconds(30) }) { link in
      let lines = link.connection.framed(LineFraming())
      try link.peer.send("on")
      for round in 0..<5 {
        async let line = lines.next()
        try await untilReading(link.connection)
        try await link.pass(.seconds(20))
        try link.peer.send("e\non")
        #expect(try await line == "one", "round \(round)")
      }
      async let error = socketError { try await lines.next() }
      try await untilReading(link.connection)
      try await link.pass(.seconds(30))
      #expect(await error == .limit(.message))
    }
  }

  @Test("between messages their limits do not count, and chunks are none", arguments: Route.executors)
  func betweenMessages(_ route: Route) async throws {
    let options = ConnectionOptions.limits {
      $0.message = .seconds(30)
      $0.minimumRate = MinimumRate(bytesPerSecond: 240)
    }
    try await withLink(route, options: options) { link in
      let lines = link.connection.framed(LineFraming())
      try link.peer.send("one\n")
      #expect(try await lines.next() == "one")
      async let line = lines.next()
      try await untilReading(link.connection)
      try await link.pass(.seconds(1000))
      try link.peer.send("two\nthr")
      #expect(try await line == "two")
      #expect(await socketError { try await lines.next(deadline: .after(.zero)) }?.isTimedOut == true)
      #expect(try await link.connection.read() == bytes("thr"))
      async let chunk = link.connection.read()
      try await untilReading(link.connection)
      try await link.pass(.seconds(1000))
      try link.peer.send("ee")
      #expect(try await chunk == bytes("ee"))
    }
  }

  @Test("a piece of known length is a message", arguments: Route.executors)
  func pieces(_ route: Route) async throws {
    try await withLink(route, options: .limits { $0.message = .seconds(30) }) { link in
      async let error = socketError { try await link.connection.read(exactly: 100) }
      try await untilReading(link.connection)
      try await link.pass(.seconds(100))
      try link.peer.send("x")
      try await untilRead(link, 1)
      try await link.pass(.seconds(30))
      #expect(await error == .limit(.message))
    }
  }

  @Test("a message that comes more slowly than the minimum rate ends, and one that keeps to it does not")
  func minimumRate() async throws {
    let rate = MinimumRate(bytesPerSecond: 10, over: .seconds(5))
    let route = Route(network: .ipv4, isOnLoop: false)
    try await withLink(route, options: .limits { $0.minimumRate = rate }) { link in
      async let error = socketError { try await link.connection.read(exactly: 1000) }
      try await untilReading(link.connection)
      try link.peer.send("x")
      try await untilRead(link, 1)
      for period in 1...3 {
        try link.peer.send(String(repeating: "y", count: 50))
        try await untilRead(link, UInt64(1 + 50 * period))
        try await link.pass(.seconds(5))
        #expect(link.connection.closeReason == nil)
      }
      try link.peer.send(String(repeating: "z", count: 49))
      try await untilRead(link, 200)
      try await link.pass(.seconds(5))
      #expect(await error == .limit(.minimumRate))
      #expect(link.connection.closeReason == .limit(.minimumRate))
    }
  }

  @Test("a minimum rate that is lowered, taken away or raised counts at once for the message under way")
  func changedRate() async throws {
    let route = Route(network: .ipv4, isOnLoop: true)
    let options = ConnectionOptions.limits { $0.minimumRate = MinimumRate(bytesPerSecond: 10) }
    try await withLink(route, options: options) { link in
      async let error = socketError { try await link.connection.read(exactly: 1000) }
      try await untilReading(link.connection)
      try link.peer.send("x")
      try await untilRead(link, 1)
      for (period, rate) in [MinimumRate(bytesPerSecond: 1), nil, MinimumRate(bytesPerSecond: 1)].enumerated()
      {
        var limits = link.connection.limits
        limits.minimumRate = rate
        try link.connection.set(limits)
        if rate != nil {
          try link.peer.send("12345")
          try await untilRead(link, period == 0 ? 6 : 11)
        }
        try await link.pass(.seconds(5))
        #expect(link.connection.closeReason == nil)
      }
      try link.peer.send("12345")
      try await untilRead(link, 16)
      var limits = link.connection.limits
      limits.minimumRate = MinimumRate(bytesPerSecond: 10)
      try link.connection.set(limits)
      try await link.pass(.seconds(5))
      #expect(await error == .limit(.minimumRate))
    }
  }

  @Test(
    "a limit that is changed counts at once for who waits: lowered below what has passed, raised, taken away",
    arguments: [SocketError.Limit.firstByte, .idle, .message, .writeStall])
  func changed(_ limit: SocketError.Limit) async throws {
    let path = Self.path(to: limit)
    for change in [Duration?.some(.seconds(5)), .seconds(100), nil] {
      var options = ConnectionOptions()
      options.limits.writeStall = nil
      options.limits[keyPath: path] = .seconds(20)
      let route = Route(network: .ipv4, isOnLoop: false)
      try await withLink(route, options: options, hasSmallBuffers: true) { link in
        let path = Self.path(to: limit)
        if limit == .writeStall {
          try await link.connection.sendWithoutWaiting(payload(1_000_000))
          try await settled(link)
        }
        async let error = socketError { try await link.connection.read(exactly: 100) }
        try await untilReading(link.connection)
        if limit == .message {
          try link.peer.send("x")
          try await untilRead(link, 1)
        }
        try await link.pass(.seconds(10))
        #expect(link.connection.closeReason == nil)
        var limits = link.connection.limits
        limits[keyPath: path] = change
        try link.connection.set(limits)
        #expect(link.connection.limits == limits)
        if change != .seconds(5) {
          try await link.pass(.seconds(80))
          #expect(link.connection.closeReason == nil)
          limits[keyPath: path] = .seconds(30)
          try link.connection.set(limits)
        }
        #expect(await error == .limit(limit))
        #expect(link.connection.closeReason == .limit(limit))
      }
    }
  }

  private static func path(to limit: SocketError.Limit) -> WritableKeyPath<ConnectionLimits, Duration?> {
    switch limit {
    case .firstByte: \.firstByte
    case .message: \.message
    case .writeStall: \.writeStall
    default: \.idle
    }
  }

  @Test("limits that cannot work are refused in words, and those in force stay")
  func refused() async throws {
    try await withLink(Route(network: .ipv4, isOnLoop: false)) { link in
      for (name, change) in Self.badLimits {
        var limits = ConnectionLimits()
        change(&limits)
        let error = await socketError { try link.connection.set(limits) }
        #expect(error?.isInvalid == true)
        #expect(error?.description.contains("limits.\(name)") == true)
        #expect(link.connection.limits == ConnectionLimits())
      }
    }
  }

  private static let badLimits: [(String, @Sendable (inout ConnectionLimits) -> Void)] = [
    ("firstByte", { $0.firstByte = .zero }),
    ("message", { $0.message = .seconds(-1) }),
    ("idle", { $0.idle = .zero }),
    ("writeStall", { $0.writeStall = .zero }),
    ("minimumRate", { $0.minimumRate = MinimumRate(bytesPerSecond: 0) }),
    ("minimumRate", { $0.minimumRate = MinimumRate(bytesPerSecond: 1, over: .zero) }),
  ]

  @Test("with every limit on, whole messages cost no deadline each", arguments: Route.executors)
  func oneDeadline(_ route: Route) async throws {
    let options = ConnectionOptions.limits {
      $0.firstByte = .seconds(10)
      $0.message = .seconds(30)
      $0.idle = .seconds(60)
      $0.minimumRate = MinimumRate(bytesPerSecond: 240)
    }
    try await withLink(route, options: options) { link in
      let lines = link.connection.framed(LineFraming())
      for _ in 0..<100 {
        try link.peer.send("x\n")
        #expect(try await lines.next() == "x")
        #expect(link.loop.census.deadlines <= 1)
      }
    }
  }
}

extension Link {
  /// Moves the time, and returns when the loop has looked at what is due.
  fileprivate func pass(_ duration: Duration) async throws {
    clock.advance(by: duration)
    for _ in 0..<3 { await loop.nextTurn() }
  }
}

/// Waits until so many bytes have been read, and more are waited for.
private func untilRead(_ link: Link, _ count: UInt64) async throws {
  try await eventually("\(count) bytes are read") {
    link.connection.counters.bytesRead == count && hasReader(link.connection)
  }
}
