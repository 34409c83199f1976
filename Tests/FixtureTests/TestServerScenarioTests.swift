import Framing
import Peers
import TestHarness
import Testing

@Suite("A test server, as its forerunner was used", .standingClock, .timeLimit(.minutes(2)))
struct TestServerScenarioTests {
  @Test("scenario J1: a POP3 conversation, and one word after the disconnect")
  func conversation() async throws {
    let behaviour = TestServer<LineFraming>.Behaviour.handler { peer in
      try await peer.send("+OK POP3 Fakepop 6.9 server ready")
      for try await line in peer.inbound {
        guard line == "quit" else {
          try await peer.send("-ERR")
          continue
        }
        peer.disconnect()
        try await peer.send("+OK POP3 server signing off")
      }
    }
    try await withTestServer(behaviour, framing: .lines) { server in
      let client = try await server.connect()
      let greeting = try await client.lines(1)
      #expect(greeting == ["+OK POP3 Fakepop 6.9 server ready"])
      #expect(try await client.ask("utter nonsense") == "-ERR")
      try client.send("quit\n")
      let (last, ending) = try await client.rest()
      #expect(last == "+OK POP3 server signing off\n" && ending == .end)
      client.close()
      let story = try await server.story()
      #expect(
        story.filter { !$0.hasPrefix("flushed") } == [
          "listening", "connected 1", "input 1 utter nonsense", "input 1 quit", "disconnected 1",
        ])
    }
  }

  @Test(
    "scenario J3: an observer hears of the port first, leaves when it likes, and the events end with the server"
  )
  func observers() async throws {
    try await withTestServer(.echo, framing: .lines) { server in
      var observer = server.events.makeAsyncIterator()
      guard case .listening(let addresses) = await observer.next() else {
        Issue.record("something came before the port")
        return
      }
      #expect(addresses == server.addresses && addresses[0].port == server.port)
      let client = try await server.connect()
      #expect(try await client.ask("one") == "one")
      // This one has left; another, who comes later, misses nothing.
      client.close()
      let story = try await server.story()
      #expect(
        story == [
          "listening", "connected 1", "input 1 one", "flushed 1", "disconnected 1",
        ])
      await server.shutdown()
      #expect(try await server.refuses())
      var all: [String] = []
      for await event in server.events { all.append(Story.word(event)) }
      #expect(all == story)
      await server.shutdown()
    }
  }

  @Test("scenario J4: a batch goes in order and is flushed once, then terminate ends it")
  func batch() async throws {
    let lines = ["This is a test", "This is another test", "This is the last test"]
    try await withTestServer(.discard, framing: .lines) { server in
      let client = try await server.connect()
      try await server.waitForClients(1)
      try await server.send(contentsOf: lines, to: 1)
      let received = try await client.lines(3)
      #expect(received == lines)
      #expect(server.terminate(1))
      let rest = try await client.rest()
      #expect(rest.text == "")
      let story = try await server.story()
      #expect(story == ["listening", "connected 1", "flushed 1", "disconnected 1"])
    }
  }

  @Test(
    "scenario J6: disconnect ends a client after what is pending, and at once if nothing is",
    arguments: [[], ["one"], ["one", "", "0", "two"]])
  func disconnect(lines: [String]) async throws {
    try await withTestServer(.discard, framing: .lines) { server in
      let client = try await server.connect()
      try await server.waitForClients(1)
      if !lines.isEmpty { try await server.send(contentsOf: lines, to: 1) }
      async let isThere = server.disconnect(1)
      let (text, ending) = try await client.rest()
      #expect(text == lines.map { $0 + "\n" }.joined() && ending == .end)
      client.close()
      #expect(await isThere)
      #expect(await !server.disconnect(1))
    }
  }

  @Test("scenario J6: what a handler sends after its disconnect goes out before the end", arguments: [1, 3])
  func disconnectFirst(count: Int) async throws {
    let lines = (1...count).map { "line \($0)" }
    let behaviour = TestServer<LineFraming>.Behaviour.handler { peer in
      peer.disconnect()
      try await peer.send(contentsOf: lines)
    }
    try await withTestServer(behaviour, framing: .lines) { server in
      let client = try await server.connect()
      let (text, ending) = try await client.rest()
      #expect(text == lines.map { $0 + "\n" }.joined() && ending == .end)
      client.close()
    }
  }

  @Test("scenario J7: terminate drops what is pending, once, and strangers are no harm")
  func terminate() async throws {
    try await withTestServer(.chargen) { server in
      let client = try await server.connect(receiveBuffer: 4096)
      try await server.waitForClients(1)
      #expect(server.terminate(1))
      #expect(try await client.rest().ending == .reset)
      let story = try await server.story()
      #expect(story.filter { $0 == "disconnected 1" }.count == 1 && story.last == "disconnected 1")
      #expect(server.info(of: 1)?.closeReason == .aborted)

      for stranger in [0, 1, 2, -1] {
        #expect(!server.terminate(stranger))
        #expect(await !server.disconnect(stranger))
        await #expect(throws: SocketError.self) { try await server.send([1], to: stranger) }
      }
      #expect(server.info(of: 2) == nil && server.peer(2) == nil)
    }
  }

  @Test("scenario J9: the addresses of a client are the same to its end, whoever ends it", arguments: 0..<3)
  func addresses(way: Int) async throws {
    try await withTestServer(.discard, framing: .lines) { server in
      let client = try await server.connect()
      let port = try client.localPort
      try await server.waitForClients(1)
      let before = try #require(server.clients.first)
      switch way {
      case 0:
        client.close()
        _ = try await server.story()
      case 1:
        async let isThere = server.disconnect(1)
        #expect(try await client.rest().ending == .end)
        client.close()
        #expect(await isThere)
      default:
        server.terminate(1)
        _ = try await client.rest()
      }
      var last: ClientInfo?
      _ = try await Story.of(server) { event in
        if case .disconnected(let info) = event { last = info }
        return last != nil
      }
      let after = try #require(last)
      #expect(
        after.peerAddress == .loopback(port: port) && after.localAddress == .loopback(port: server.port))
      #expect(after.peerAddress == before.peerAddress && after.localAddress == before.localAddress)
      #expect(before.closeReason == nil && after.closeReason == [.closedByPeer, .closed, .aborted][way])
      #expect(server.info(of: 1) == after)
    }
  }

  @Test("scenario J10: an echo server, three lines, and everything ends")
  func echo() async throws {
    try await withTestServer(.echo, framing: .lines) { server in
      let client = try await server.connect()
      for line in ["one", "two words", ""] { #expect(try await client.ask(line) == line) }
      client.close()
      #expect(try await server.story().last == "disconnected 1")
      await server.shutdown()
    }
  }

  @Test("scenario J12: a broadcast reaches each of two clients once")
  func broadcast() async throws {
    try await withTestServer(.discard, framing: .lines) { server in
      let clients = [try await server.connect(), try await server.connect()]
      try await server.waitForClients(2)
      try await server.broadcast("HELLO ALL")
      for client in clients { #expect(try await client.lines(1) == ["HELLO ALL"]) }
      for client in clients { try client.send("quit\n") }
      var quits = 0
      var ends = 0
      var story: [String] = []
      for await event in server.events {
        story.append(Story.word(event))
        if case .input(let client, "quit") = event {
          quits += 1
          #expect(server.terminate(client.id))
        }
        if case .disconnected = event { ends += 1 }
        if ends == 2 { break }
      }
      for client in clients { #expect(try await client.rest().text == "") }
      #expect(quits == 2)
      for id in 1...2 {
        let own = story.filter { $0.contains(" \(id)") }
        #expect(own == ["connected \(id)", "flushed \(id)", "input \(id) quit", "disconnected \(id)"])
      }
    }
  }

  @Test("scenario J13: one codec in, another out; records reach the observer")
  func codecs() async throws {
    struct Point: Equatable, Sendable { var x, y: Int }
    let framing = LineFraming().map { (line: String) -> Point in
      let numbers = line.split(separator: ",").compactMap { Int($0) }
      guard numbers.count == 2 else { throw FramingError.malformed("two numbers are wanted", offset: 0) }
      return Point(x: numbers[0], y: numbers[1])
    } outbound: { (point: Point) -> String in
      "\(point.x),\(point.y)"
    }.sending(LineFraming().bytes)
    try await withTestServer(
      .handler { peer in
        for try await point in peer.inbound { try await peer.send(Array("x is \(point.x)".utf8)) }
      }, framing: framing
    ) { server in
      let client = try await server.connect()
      #expect(try await client.ask("3,4") == "x is 3")
      client.close()
      var points: [Point] = []
      _ = try await Story.of(server) { event in
        if case .input(_, let point) = event { points.append(point) }
        if case .disconnected = event { return true }
        return false
      }
      #expect(points == [Point(x: 3, y: 4)])
    }
  }

  @Test("scenario J15: one port on 127.0.0.1 and ::1, chosen or given, and nowhere else")
  func dualStack() async throws {
    func check(_ server: TestServer<RawFraming>) async throws {
      #expect(server.addresses == [.loopback(port: server.port), .loopback6(port: server.port)])
      for host in ["127.0.0.1", "::1"] {
        let client = try await server.connect(host: host)
        #expect(try await client.ask("over \(host)") == "over \(host)")
        client.close()
      }
      #expect(try await server.refuses(host: "127.0.0.2"))
    }
    for attempt in 1... {
      let chosen = try await withTestServer(.echo) { server in
        try await check(server)
        return server.addresses
      }
      do {
        try await withTestServer(.echo, on: chosen) { server in
          #expect(server.addresses == chosen)
          try await check(server)
        }
        break
      } catch SocketError.failed(_, call: "bind", _) where attempt < 5 {
        // Somebody else has the port by now.
      }
    }
  }

  @Test("scenario J16: a port that is taken is an error with its name, and is had once it is free")
  func takenPort() async throws {
    let host = "127.\(Int.random(in: 1...254)).\(Int.random(in: 1...254)).7"
    let blocker = try BlockingListener(host: host)
    let address = try SocketAddress(host: host, port: blocker.port)
    let error = await #expect(throws: SocketError.self) {
      try await withTestServer(.echo, on: [address]) { _ in Issue.record("it has the port") }
    }
    #expect(text(error).contains("bind \(address): EADDRINUSE"))
    blocker.close()
    try await onceFree {
      try await withTestServer(.echo, on: [address]) { server in
        #expect(server.port == blocker.port)
        let client = try await server.connect(host: host)
        #expect(try await client.ask("mine") == "mine")
        client.close()
      }
    }
  }
}
