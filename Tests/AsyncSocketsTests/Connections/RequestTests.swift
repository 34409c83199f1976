import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

@Suite("Requests and their replies", .timeLimit(.minutes(4)))
struct RequestTests {
  /// Answers so many lines of a peer, the nth with `reply(n, line)`.
  static func answer(
    _ peer: BlockingPeer, _ count: Int, _ reply: @Sendable (Int, String) -> String = { "re: \($1)\n" }
  ) throws {
    for number in 0..<count { try peer.send(reply(number, try peer.receiveLine())) }
  }

  @Test("a request is answered by the next frame", arguments: Route.allCases)
  func one(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      async let answered: Void = onThread { try Self.answer(link.peer, 3) }
      for text in ["one", "", "three"] { #expect(try await lines.request(text) == "re: \(text)") }
      try await answered
    }
  }

  @Test("100 tasks that request at once get their own replies, in order", arguments: Route.allCases)
  func manyInOrder(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      async let answered: Void = onThread { try Self.answer(link.peer, 100) }
      try await withThrowingTaskGroup(of: Bool.self) { group in
        for number in 0..<100 {
          group.addTask { try await lines.request("\(number)") == "re: \(number)" }
        }
        for try await isRight in group { #expect(isRight) }
      }
      try await answered
    }
  }

  @Test("replies with ids find their requests in any order", arguments: Route.allCases)
  func byID(_ route: Route) async throws {
    try await withLink(route) { link in
      let requests = try link.connection.framed(LineFraming()).requests(id: { Int($0.prefix { $0 != " " }) })
      let count = 50
      async let answered: Void = onThread {
        let lines = try (0..<count).map { _ in try link.peer.receiveLine() }
        for line in lines.reversed() { try link.peer.send("\(line) answered\n") }
      }
      try await withThrowingTaskGroup(of: Bool.self) { group in
        for number in 0..<count {
          group.addTask { try await requests.request("\(number) asks") == "\(number) asks answered" }
        }
        for try await isRight in group { #expect(isRight) }
      }
      try await answered
    }
  }

  @Test("whoever has its reply lets the next one read", arguments: Route.allCases)
  func readingIsPassedOn(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      async let first = lines.request("first")
      #expect(try await onThread { try link.peer.receiveLine() } == "first")
      async let second = lines.request("second")
      #expect(try await onThread { try link.peer.receiveLine() } == "second")
      try await untilReading(link.connection)
      try link.peer.send("1\n")
      #expect(try await first == "1")
      try await untilReading(link.connection)
      try link.peer.send("2\n")
      #expect(try await second == "2")
      // Nobody waits, so nobody reads.
      try link.peer.send("later\n")
      try await eventually("it has come") { unreadInKernel(link.connection) == 6 }
    }
  }

  @Test("a cancelled request does not shift the replies of others (P41)", arguments: Route.allCases)
  func cancelledRequest(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      // The one that reads.
      let reading = try await cancelled(once: { hasReader(link.connection) }) {
        _ = try await lines.request("1")
      }
      #expect(reading is CancellationError)
      // One that waits for another to read.
      async let second = lines.request("2")
      try await eventually("2 is sent") { link.connection.counters.bytesWritten == 4 }
      let waiting = try await cancelled(once: { link.connection.counters.bytesWritten == 6 }) {
        _ = try await lines.request("3")
      }
      #expect(waiting is CancellationError)
      async let fourth = lines.request("4")
      try await onThread { try Self.answer(link.peer, 4) }
      #expect(try await second == "re: 2")
      #expect(try await fourth == "re: 4")
    }
  }

  @Test("a request that is too late does not shift the replies of others (P46)", arguments: Route.allCases)
  func deadlines(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      #expect(
        await socketError { try await lines.request("x", deadline: .at(link.loop.now)) }?.isTimedOut == true)
      #expect(link.connection.counters.bytesAccepted == 0)
      async let first = socketError { try await lines.request("1", deadline: .after(.seconds(1))) }
      try await eventually("1 waits") { hasReader(link.connection) }
      async let second = lines.request("2")
      async let third = socketError { try await lines.request("3", deadline: .after(.seconds(1))) }
      try await eventually("all are sent") { link.connection.counters.bytesWritten == 6 }
      for _ in 0..<3 { await link.loop.nextTurn() }
      link.clock.advance(by: .seconds(1))
      #expect(await first?.isTimedOut == true)
      #expect(await third?.isTimedOut == true)
      try await onThread { try Self.answer(link.peer, 3) }
      #expect(try await second == "re: 2")
      #expect(link.connection.closeReason == nil)
    }
  }

  @Test("cancelled while it waits its turn to be sent, it is no request", arguments: Place.allCases)
  func cancelledBeforeItIsSent(_ place: Place) async throws {
    let transport = ScriptedTransport()
    transport.block()
    try await withScript(place, transport, options: try .marks(high: 4, low: 2)) { link in
      let lines = link.connection.framed(LineFraming())
      async let first = lines.request("first")
      try await eventually("it is queued") { link.connection.queued == 6 }
      let error = try await cancelled(once: { try waitingWriters(link.connection) == 1 }) {
        _ = try await lines.request("second")
      }
      #expect(error is CancellationError)
      async let third = lines.request("third")
      try await untilWriting(link.connection)
      transport.unblock()
      transport.arrive(.bytes(bytes("1\n3\n")))
      #expect(try await first == "1")
      #expect(try await third == "3")
      #expect(transport.record.written == bytes("first\nthird\n"))
    }
  }

  @Test("too late while it waits its turn to be sent, it is no request either", arguments: Place.allCases)
  func tooLateBeforeItIsSent(_ place: Place) async throws {
    let transport = ScriptedTransport()
    transport.block()
    try await withScript(place, transport, options: try .marks(high: 4, low: 2)) { link in
      let lines = link.connection.framed(LineFraming())
      async let first = lines.request("first")
      try await eventually("it is queued") { link.connection.queued == 6 }
      async let second = socketError { try await lines.request("second", deadline: .after(.seconds(1))) }
      try await eventually("it waits its turn") { try waitingWriters(link.connection) == 1 }
      for _ in 0..<3 { await link.connection.loop.nextTurn() }
      link.clock.advance(by: .seconds(1))
      #expect(await second == .timedOut(operation: "request"))
      transport.unblock()
      transport.arrive(.bytes(bytes("1\n")))
      #expect(try await first == "1")
      #expect(transport.record.written == bytes("first\n"))
    }
  }

  @Test(
    "a request of which the encoder makes nothing is refused, and shifts no replies",
    arguments: Place.allCases)
  func nothingToSend(_ place: Place) async throws {
    let transport = ScriptedTransport()
    try await withScript(place, transport) { link in
      let framing = LineFraming().filter({ _ in true }, outbound: { !$0.hasPrefix("#") })
      let lines = link.connection.framed(framing)
      async let first = lines.request("1")
      try await eventually("1 is sent") { transport.record.written == bytes("1\n") }
      #expect(
        await failure { try await lines.request("#") } as? FramingError
          == .unencodable("the encoder makes no bytes of it, so that no reply would come"))
      try await lines.send("#")
      async let second = lines.request("2")
      try await eventually("2 is sent") { transport.record.written == bytes("1\n2\n") }
      transport.arrive(.bytes(bytes("one\ntwo\n")))
      #expect(try await first == "one")
      #expect(try await second == "two")
    }
  }

  @Test("requests above the high mark do not wait for a peer that waits for its replies to be read")
  func noDeadlock() async throws {
    for route in Route.executors {
      try await withLink(route, options: try .marks(high: 4_096, low: 1), hasSmallBuffers: true) { link in
        let lines = link.connection.framed(LineFraming())
        let long = String(repeating: "x", count: 60_000)
        async let answered: Void = onThread { try Self.answer(link.peer, 12) }
        try await withThrowingTaskGroup(of: Bool.self) { group in
          for number in 0..<12 {
            group.addTask { try await lines.request("\(number)\(long)") == "re: \(number)\(long)" }
          }
          for try await isRight in group { #expect(isRight) }
        }
        try await answered
      }
    }
  }

  @Test("the end of the stream fails whoever waits, and whoever comes later", arguments: Route.allCases)
  func end(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      async let first = failure { try await lines.request("1") }
      async let second = failure { try await lines.request("2") }
      _ = try await onThread { try link.peer.receive(exactly: 4) }
      try link.peer.halfClose()
      #expect(await first as? CorrelatorError == .ended)
      #expect(await second as? CorrelatorError == .ended)
      #expect(await failure { try await lines.request("3") } as? CorrelatorError == .ended)
    }
  }

  @Test("bytes that are no frame fail whoever waits, and whoever comes later", arguments: Route.allCases)
  func framingError(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(try LineFraming(maximumLength: 3))
      async let first = failure { try await lines.request("1") }
      async let second = failure { try await lines.request("2") }
      _ = try await onThread { try link.peer.receive(exactly: 4) }
      try link.peer.send("too long\n")
      let expected = FramingError.tooLong(limit: 3, seen: 4, offset: 0)
      #expect(await first as? FramingError == expected)
      #expect(await second as? FramingError == expected)
      #expect(await failure { try await lines.request("3") } as? FramingError == expected)
    }
  }

  @Test("a connection that is closed or aborted fails whoever waits", arguments: Route.executors)
  func closed(_ route: Route) async throws {
    for isAborted in [false, true] {
      try await withLink(route) { link in
        let lines = link.connection.framed(LineFraming())
        async let first = failure { try await lines.request("1") }
        async let second = failure { try await lines.request("2") }
        _ = try await onThread { try link.peer.receive(exactly: 4) }
        try await untilReading(link.connection)
        link.peer.close()
        if isAborted { lines.abort() } else { await lines.close() }
        for error in [await first, await second] {
          // The peer's end may have been the first to be seen.
          let socket = error as? SocketError
          #expect(socket == .closed || socket?.isReset == true || error as? CorrelatorError == .ended)
        }
      }
    }
  }

  @Test("requests without a reply are bounded", arguments: Place.allCases)
  func bounded(_ place: Place) async throws {
    let transport = ScriptedTransport()
    try await withScript(place, transport) { link in
      let requests = try link.connection.framed(LineFraming()).requests(atMost: 1)
      async let first = requests.request("1")
      try await eventually("1 is sent") { transport.record.written == bytes("1\n") }
      #expect(
        await failure { try await requests.request("2") } as? CorrelatorError == .tooManyRequests(limit: 1))
      transport.arrive(.bytes(bytes("one\n")))
      #expect(try await first == "one")
      #expect(transport.record.written == bytes("1\n"))
      #expect(throws: FramingError.self) { try requests.connection.requests(atMost: 0) }
      #expect(throws: FramingError.self) {
        try requests.connection.requests(id: { $0 }, keepingUnsolicited: -1)
      }
    }
  }

  @Test("an id in use and a request without one are refused, and nothing is sent", arguments: Place.allCases)
  func ids(_ place: Place) async throws {
    let transport = ScriptedTransport()
    try await withScript(place, transport) { link in
      let requests = try link.connection.framed(LineFraming()).requests(id: { Int($0) })
      async let first = requests.request("7")
      try await eventually("7 is sent") { transport.record.written == bytes("7\n") }
      #expect(await failure { try await requests.request("7") } as? CorrelatorError == .idInUse("7"))
      #expect(await failure { try await requests.request("x") } as? CorrelatorError == .noID)
      try await requests.send("no reply")
      try await requests.connection.flush()
      #expect(transport.record.written == bytes("7\nno reply\n"))
      transport.arrive(.bytes(bytes("7\n")))
      #expect(try await first == "7")
    }
  }

  @Test("frames that answer no request come as a sequence, beside the replies", arguments: Route.allCases)
  func unsolicited(_ route: Route) async throws {
    try await withLink(route) { link in
      let requests = try link.connection.framed(LineFraming()).requests(
        id: { Int($0) }, keepingUnsolicited: 2)
      async let heard = {
        var heard: [String] = []
        for try await frame in requests.inbound { heard.append(frame) }
        return heard
      }()
      try link.peer.send("a\n")
      for number in 0..<3 {
        async let reply = requests.request("\(number)")
        _ = try await onThread { try link.peer.receiveLine() }
        try link.peer.send("b\(number)\n\(number)\n")
        #expect(try await reply == "\(number)")
      }
      try link.peer.send("c\n")
      try link.peer.halfClose()
      #expect(try await heard == ["a", "b0", "b1", "b2", "c"])
    }
  }

  @Test("a frame that answers no request, and that nobody takes, is an error", arguments: Place.allCases)
  func strict(_ place: Place) async throws {
    let transport = ScriptedTransport()
    try await withScript(place, transport) { link in
      let requests = try link.connection.framed(LineFraming()).requests(id: { Int($0) })
      async let first = failure { try await requests.request("1") }
      try await eventually("1 is sent") { transport.record.written == bytes("1\n") }
      transport.arrive(.bytes(bytes("what?\n1\n")))
      #expect(await first as? CorrelatorError == .unsolicited("what?"))
      #expect(await failure { try await requests.next() } as? CorrelatorError == .unsolicited("what?"))
    }
  }

  @Test("frames that are kept come in the order in which they came", arguments: Place.allCases)
  func keptInOrder(_ place: Place) async throws {
    let transport = ScriptedTransport()
    try await withScript(place, transport) { link in
      let requests = try link.connection.framed(LineFraming())
        .requests(id: { Int($0) }, keepingUnsolicited: 3)
      for round in ["a", "b"] {
        async let first = requests.request("7")
        try await untilReading(link.connection)
        transport.arrive(.bytes(bytes("\(round)1\n\(round)2\n7\n")))
        #expect(try await first == "7")
        #expect(try await requests.next() == (round == "a" ? "a1" : "a2"))
      }
      #expect(try await requests.next() == "b1")
      #expect(try await requests.next() == "b2")
    }
  }

  @Test("another reader is told apart, and so is a second listener", arguments: Route.executors)
  func otherReaders(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      async let other = lines.next()
      try await untilReading(link.connection)
      #expect(await socketError { try await lines.request("1") }?.isBusy == true)
      try link.peer.send("for the other\n")
      #expect(try await other == "for the other")

      let requests = try lines.requests(id: { Int($0) })
      async let heard = requests.next()
      try await untilReading(link.connection)
      #expect(await socketError { try await requests.next() }?.isBusy == true)
      try link.peer.send("news\n")
      #expect(try await heard == "news")
    }
  }

  @Test("between requests the codec may change", arguments: Route.executors)
  func switching(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      async let answered: Void = onThread { try Self.answer(link.peer, 1) { _, _ in "ok\n5:hello," } }
      #expect(try await lines.request("netstrings, please") == "ok")
      try await answered
      let strings = try lines.switching(to: .netstring)
      #expect(try await strings.request(bytes("?")) == bytes("hello"))
      #expect(await socketError { try await lines.request("again") } == .switched)
    }
  }
}
