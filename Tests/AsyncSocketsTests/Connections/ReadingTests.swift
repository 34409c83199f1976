import AsyncSockets
import Framing
import Glibc
import Peers
import TestHarness
import Testing

@Suite("Reading from a connection", .timeLimit(.minutes(4)))
struct ReadingTests {
  @Test("nothing is read from the kernel before somebody asks (P31)", arguments: Route.allCases)
  func pullDriven(_ route: Route) async throws {
    try await withLink(route) { link in
      try link.peer.send(payload(1000))
      try await eventually("the kernel has the bytes") { unreadInKernel(link.connection) == 1000 }
      for _ in 0..<3 { await link.loop.nextTurn() }
      #expect(unreadInKernel(link.connection) == 1000)
      #expect(link.connection.counters.bytesRead == 0)

      #expect(try await link.connection.read(atMost: 10) == Array(payload(1000)[..<10]))
      #expect(unreadInKernel(link.connection) == 990)
      #expect(link.connection.counters.bytesRead == 10)
    }
  }

  @Test(
    "a consumer that does not read makes its peer wait, and loses nothing (P31)", arguments: Route.allCases)
  func backPressure(_ route: Route) async throws {
    try await withLink(route, hasSmallBuffers: true) { link in
      let sent = payload(2_000_000)
      async let sending: Void = onThread {
        try link.peer.send(sent)
        try link.peer.halfClose()
      }
      try await eventually("bytes have come") { unreadInKernel(link.connection) > 0 }
      #expect(link.connection.counters.bytesRead == 0)
      #expect(areSame(try await link.connection.receiveToEnd(), sent))
      try await sending
    }
  }

  @Test("a read returns what has arrived, and at most what was asked for", arguments: Route.allCases)
  func limits(_ route: Route) async throws {
    try await withLink(route) { link in
      try link.peer.send("hello, world")
      try await eventually("it is there") { unreadInKernel(link.connection) == 12 }
      #expect(try await link.connection.read(atMost: 5) == bytes("hello"))
      #expect(try await link.connection.read(atMost: 1) == bytes(","))
      #expect(try await link.connection.read() == bytes(" world"))
    }
  }

  @Test("a read waits for the first byte", arguments: Route.allCases)
  func waits(_ route: Route) async throws {
    try await withLink(route) { link in
      for round in 0..<20 {
        async let received = link.connection.read()
        try await untilReading(link.connection)
        try link.peer.send("\(round)")
        #expect(try await received == bytes("\(round)"))
      }
    }
  }

  @Test(
    "a read into the caller's memory fills it from the start and answers how much", arguments: Route.allCases)
  func intoMemory(_ route: Route) async throws {
    try await withLink(route) { link in
      try link.peer.send("hello")
      try await eventually("it is there") { unreadInKernel(link.connection) == 5 }
      #expect(try await link.connection.readBytes(capacity: 3) == bytes("hel"))
      #expect(try await link.connection.readBytes(capacity: 30) == bytes("lo"))
      try link.peer.halfClose()
      #expect(try await link.connection.readBytes(capacity: 30) == [])
      #expect(try await link.connection.readBytes(capacity: 30) == [])
    }
  }

  @Test("scenario F3: a read of no bytes is refused, and takes nothing", arguments: Route.executors)
  func invalidLimits(_ route: Route) async throws {
    try await withLink(route) { link in
      try link.peer.send("x")
      for limit in [0, -1, .min] {
        #expect(await socketError { try await link.connection.read(atMost: limit) }?.isInvalid == true)
      }
      #expect(await socketError { try await link.connection.readBytes(capacity: 0) }?.isInvalid == true)
      #expect(try await link.connection.read(atMost: .max) == bytes("x"))
    }
  }

  @Test("bytes that are no UTF-8 come as they are", arguments: Route.allCases)
  func anyBytes(_ route: Route) async throws {
    try await withLink(route) { link in
      let all = (0...255).map { UInt8($0) } + [0xC0, 0x80, 0xED, 0xA0, 0x80, 0xFF, 0xFE, 0x00]
      try link.peer.send(all)
      #expect(try await link.connection.receive(exactly: all.count) == all)
      try await link.connection.send(all)
      #expect(try await onThread { try link.peer.receive(exactly: all.count) } == all)
    }
  }

  @Test("scenario F4: a loop that is left and entered again misses nothing", arguments: Route.allCases)
  func leavingTheLoop(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      try link.peer.send("1\n2\n3\n")
      var seen: [String] = []
      for try await line in lines.inbound {
        seen.append(line)
        break
      }
      try link.peer.send("4\n5\n")
      try link.peer.halfClose()
      for try await line in lines.inbound { seen.append(line) }
      #expect(seen == ["1", "2", "3", "4", "5"])
    }
  }

  @Test("scenario F6: what comes before the first read waits for it", arguments: Route.allCases)
  func inputBeforeReading(_ route: Route) async throws {
    try await withLink(route) { link in
      try link.peer.send("x\ny\n")
      try await eventually("it is there") { unreadInKernel(link.connection) == 4 }
      for _ in 0..<5 { await link.loop.nextTurn() }
      #expect(unreadInKernel(link.connection) == 4)
      let lines = link.connection.framed(LineFraming())
      #expect(try await lines.next() == "x")
      #expect(try await lines.next() == "y")
    }
  }

  @Test("urgent data in the middle does not hide what follows it", arguments: Route.tcp)
  func urgentData(_ route: Route) async throws {
    try await withLink(route) { link in
      try link.peer.send("abc")
      #expect(sendUrgent("x", over: link.peer.descriptor))
      try link.peer.send("def")
      try await eventually("all is there") { unreadInKernel(link.connection) >= 3 }
      for _ in 0..<3 { await link.loop.nextTurn() }
      #expect(try await link.connection.receive(exactly: 6) == bytes("abcdef"))
    }
  }

  private func sendUrgent(_ byte: String, over descriptor: Int32) -> Bool {
    unsafe byte.withCString { pointer in unsafe send(descriptor, pointer, 1, Int32(MSG_OOB)) } == 1
  }
}

extension Connection {
  /// Reads once into memory of its own.
  func readBytes(capacity: Int) async throws -> [UInt8] {
    var memory = [UInt8](repeating: 0xAA, count: capacity)
    var span = memory.mutableSpan
    var raw = unsafe span.mutableBytes
    let count = try await read(into: &raw)
    return Array(memory[..<count])
  }
}
