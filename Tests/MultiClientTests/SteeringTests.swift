import TCPServer
import TestHarness
import Testing

@testable import MultiClient

/// Lines of bytes, or blocks of four: one type for both.
private enum Cut: Framing {
  case lines
  case blocks

  func makeDecoder() -> Decoder { Decoder(cut: self) }
  func makeEncoder() -> LineBytesFraming.Encoder { LineBytesFraming.lineBytes.makeEncoder() }

  struct Decoder: FrameDecoder {
    let cut: Cut
    var lines = LineBytesFraming.lineBytes.makeDecoder()

    mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [UInt8]? {
      switch cut {
      case .lines: return try lines.decode(&buffer)
      case .blocks: return buffer.count < 4 ? nil : buffer.takePrefix(4)
      }
    }

    mutating func finish(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [UInt8]? { nil }
  }
}

@Suite("Connections by their names", .timeLimit(.minutes(2)))
struct SteeringTests {
  @Test("names that are not known are false or nil, and harm nobody")
  func unknown() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", echo)
      let client = MultiClient<Asker>(framing: .lines)
      let id = try await client.connect(to: address, Asker(question: "?"))
      client.finish()
      #expect(await client.outcomes.all().map(\.id) == [id])
      let other = MultiClient<Asker>(framing: .lines)
      let stranger = try await other.connect(to: address, Asker())
      for id in [id, stranger] {
        // One of another client may have the same name.
        if await client.target(of: id) != nil { continue }
        #expect(try await client.send("?", to: id) == false)
        #expect(await client.close(id) == false)
        #expect(await client.abort(id) == false)
        #expect(await client.state(of: id) == nil)
        #expect(await client.reference(to: id) == nil)
        #expect(await client.timeouts(of: id) == nil)
        #expect(try await client.set(Timeouts(), of: id) == false)
        #expect(await client.switchCodec(to: .lines, of: id) == false)
        #expect(await client.counters(of: id) == nil)
      }
      other.abortAll()
      #expect(await other.outcomes.all().count == 1)
    }
  }

  @Test("time-outs are read as they were set, each connection's own, and a change counts at once")
  func timeouts() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", silence)
      let client = MultiClient<Asker>(framing: .lines)
      client.limits.timeouts.input = .seconds(100)
      let ids = try await [
        client.connect(to: address, Asker()),
        client.connect(to: address, timeouts: Timeouts(total: .seconds(3)), Asker()),
        client.connect(to: address, Asker()),
        client.connect(to: address, timeouts: Timeouts(firstByte: .seconds(4)), Asker()),
      ]
      client.finish()
      async let outcomes = client.outcomes.all()
      try await world.sleep(for: .seconds(1))
      for _ in 0..<3 { #expect(await client.timeouts(of: ids[0])?.input == .seconds(100)) }
      #expect(await client.timeouts(of: ids[1])?.total == .seconds(3))
      // From a second ago, since when it has heard nothing.
      #expect(try await client.set(Timeouts(input: .seconds(2)), of: ids[0]))
      #expect(try await client.set(Timeouts(), of: ids[2]))
      await #expect(throws: SocketError.self) { try await client.set(Timeouts(input: .zero), of: ids[0]) }
      try await world.sleep(for: .seconds(1000))
      #expect(await client.close(ids[2]))
      let ends = await outcomes
      let expected: [ConnectionID: (TargetResult, Duration)] = [
        ids[0]: (.timedOut(.input), .seconds(2)), ids[1]: (.timedOut(.total), .seconds(3)),
        ids[2]: (.finished(.closed), .seconds(1001)), ids[3]: (.timedOut(.firstByte), .seconds(4)),
      ]
      for outcome in ends {
        #expect(outcome.result == expected[outcome.id]?.0)
        #expect(outcome.duration.isAbout(expected[outcome.id]?.1 ?? .zero))
      }
      #expect(ends.count == 4)
    }
  }

  @Test(
    "scenario I15: a codec is switched for one connection of many, mid-stream, with what had arrived; or before it connects"
  )
  func codecs() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server") { connection in
        try await connection.connection.send("first\nabcdefgh")
        // Late enough for all of it to have arrived together.
        try await world.sleep(for: .seconds(1))
        try await connection.connection.send("\n")
        try await silence(connection)
      }
      let client = try MultiClient(framing: Cut.lines, configuration: MultiClientConfiguration())
      let plain = try await client.connect(to: address)
      let switched = try await client.connect(to: address)
      let early = try await client.connect(to: address)
      #expect(await client.switchCodec(to: .blocks, of: early))
      var frames: [ConnectionID: [String]] = [:]
      for await event in client.events {
        guard case .received(let id, let frame) = event else { continue }
        frames[id, default: []].append(String(decoding: frame, as: UTF8.self))
        if id == switched, frames[id]?.count == 1 {
          #expect(await client.switchCodec(to: .blocks, of: switched))
          #expect(try await client.send(Array("ok".utf8), to: switched))
        }
        if frames.values.reduce(0, { $0 + $1.count }) == 8 { break }
      }
      #expect(frames[plain] == ["first", "abcdefgh"])
      #expect(frames[switched] == ["first", "abcd", "efgh"])
      #expect(frames[early] == ["firs", "t\nab", "cdef"])
    }
  }

  @Test(
    "a handler asks for itself from inside a callback, and gets nothing; its reference works from everywhere")
  func selfService() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", echo)
      let client = MultiClient<Asker>(framing: .lines)
      let id = try await client.connect(to: address, Asker(enough: 2))
      client.finish()
      try await eventually("it is connected") { client.statisticsNow.connected == 1 }
      try await world.sleep(for: .milliseconds(1))
      #expect(await client.state(of: id)?.wasConnected == true)
      let reference = try #require(await client.reference(to: id))
      let seen = Log<Bool>()
      reference.perform { handler, context in
        seen.add(client.assumeIsolated { $0.state(of: id) } == nil)
        handler.question = "changed"
        try context.send("one")
        _ = client.assumeIsolated { try? $0.send("two", to: id) }
      }
      let outcomes = await client.outcomes.all()
      #expect(outcomes[0].handler.lines == ["one", "two"])
      #expect(outcomes[0].handler.question == "changed")
      #expect(seen.values == [true])
    }
  }

  @Test("a sequence of targets, and what makes handlers, may call the client back, and even end it")
  func callingBack() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", echo)
      let client = MultiClient<Asker>(framing: .lines, atMost: 3)
      let added = Counter()
      let outcomes = await client.run((0..<20).lazy.map { _ in Target.address(address) }) { _ in
        added.add()
        client.assumeIsolated { client in
          if added.value < 10 { _ = try? client.connect(to: address, Asker(question: "added")) }
          if added.value == 15 { client.core.endAll(.abort) }
        }
        return Asker(question: "drawn")
      }.all()
      let others = await client.outcomes.all()
      #expect(Set((outcomes + others).map(\.id)).count == 15 + 9)
      #expect(outcomes.count == 15 && added.value == 15 && others.count == 9)
      #expect((outcomes + others).allSatisfy { $0.handler.reasons.count == 1 })
    }
  }

  @Test("the first byte is not waited for while a connection is not read")
  func firstByteOfPaused() async throws {
    try await withSimulation { world in
      let address = try await world.serve("server", silence)
      let client = MultiClient(framing: .lines)
      client.limits.timeouts = Timeouts(firstByte: .seconds(2))
      try await client.connect(to: address)
      client.finish()
      // Its first event is not taken: it is not read.
      try await world.sleep(for: .seconds(60))
      #expect(client.statisticsNow.open == 1)
      for await event in client.events {
        if case .ended(let outcome) = event { #expect(outcome.result == .timedOut(.firstByte)) }
      }
      #expect(world.elapsed < .seconds(65))
    }
  }

  @Test("one that stalls does not delay a broadcast to the others, and is parted with or left out (P33)")
  func broadcast() async throws { try await broadcast(to: 10) }

  @Test("nor among a thousand (P33)", .thoroughOnly)
  func broadcastToMany() async throws { try await broadcast(to: 1000) }

  private func broadcast(to count: Int) async throws {
    try await withSimulation(seed: 3) { world in
      let host = world.host("server")
      world.setDescriptorLimit(2 * count + 10, of: host)
      world.setDescriptorLimit(2 * count + 10, of: world.host("localhost"))
      let lines = Counter()
      let address = try await world.serve("server") { connection in
        for try await _ in connection.inbound { lines.add() }
      }
      let deaf = try await world.serve("deaf") { _ in try await world.sleep(for: .seconds(1000)) }
      let client = MultiClient<Asker>(framing: .lines, atMost: count)
      for _ in 1..<count { try await client.connect(to: address, Asker()) }
      let stalled = try await client.connect(to: deaf, Asker())
      try await eventually("all are connected") { client.statisticsNow.open == count }
      let text = String(repeating: "x", count: 29_999)
      var skipped = 0
      for round in 1...30 {
        let start = world.elapsed
        let (sent, slow) = try await client.broadcast(text, disconnectsSlow: round == 30)
        #expect(slow == [] || slow == [stalled])
        #expect(sent == count - slow.count)
        skipped += slow.count
        try await eventually("the others have it") { lines.value == round * (count - 1) }
        #expect(world.elapsed - start < .milliseconds(200))
      }
      #expect(skipped > 5)
      // What is kept for the one is bounded: the high mark and one message.
      #expect(
        await client.counters(of: stalled).map { $0.bytesAccepted - $0.bytesWritten } ?? 0 <= 65_536 + 30_000)
      let outcome = await client.outcomes.makeAsyncIterator().first()
      #expect(outcome?.id == stalled)
      #expect(outcome?.result == .finished(.limit(.slowConsumer)))
      client.closeAll()
      #expect(await client.outcomes.all().count == count - 1)
    }
  }
}

extension MultiClient.Outcomes.Iterator {
  fileprivate func first() async -> MultiClient.Outcome? {
    var iterator = self
    return await iterator.next()
  }
}
