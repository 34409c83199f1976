import AsyncSockets
import Framing
import TestHarness
import Testing

@Suite("A transport of one's own under a connection", .timeLimit(.minutes(4)))
struct TransportTests {
  @Test("bytes, their end and the answer pass through it", arguments: Place.allCases)
  func conversation(_ place: Place) async throws {
    let transport = ScriptedTransport(input: [.bytes(bytes("one\ntw")), .wouldBlock(.read)])
    try await withScript(place, transport) { link in
      let lines = link.connection.framed(LineFraming())
      #expect(try await lines.next() == "one")
      async let second = lines.next()
      try await untilReading(link.connection)
      transport.arrive(.bytes(bytes("o\n")), .end)
      #expect(try await second == "two")
      #expect(try await lines.next() == nil)
      try await lines.send("three")
      await lines.close()
      #expect(transport.record.written == bytes("three\n"))
      #expect(transport.record.shutdowns == 1)
      #expect(transport.record.closes == [false])
      #expect(link.connection.closeReason == .closedByPeer)
    }
  }

  @Test("nothing is read before somebody asks, and nothing is called at the start", arguments: Place.allCases)
  func pullDriven(_ place: Place) async throws {
    let transport = ScriptedTransport(input: [.bytes(bytes("x"))])
    try await withScript(place, transport) { link in
      for _ in 0..<3 { await link.loop.nextTurn() }
      #expect(transport.record.reads == 0 && transport.record.writes == 0)
      let received = try await link.connection.read()
      #expect(received == bytes("x"))
      #expect(transport.record.reads == 1)
    }
  }

  @Test("reads that give less than was asked for need no news to go on", arguments: Place.allCases)
  func shortReads(_ place: Place) async throws {
    let input = bytes("abcdef").map { ScriptedTransport.Step.bytes([$0]) }
    try await withScript(place, ScriptedTransport(input: input + [.end])) { link in
      let received = try await link.connection.receiveToEnd()
      #expect(received == bytes("abcdef"))
    }
  }

  @Test("a transport that takes a byte at a time loses nothing", arguments: Place.allCases)
  func partialWrites(_ place: Place) async throws {
    let output = Array(repeating: ScriptedTransport.Step.room(1), count: 500)
    try await withScript(place, ScriptedTransport(output: output)) { link in
      try await link.connection.send(payload(300))
      try await link.connection.send(payload(300, seed: 1))
      try await link.connection.flush()
      #expect(link.transport.record.written == payload(300) + payload(300, seed: 1))
    }
  }

  @Test("a read that waits for room to write goes on when there is some", arguments: Place.allCases)
  func readAwaitsWrite(_ place: Place) async throws {
    let transport = ScriptedTransport(input: [.wouldBlock(.write), .bytes(bytes("x"))])
    try await withScript(place, transport) { link in
      async let received = link.connection.read()
      try await untilReading(link.connection)
      transport.announce(.read)
      for _ in 0..<5 { await link.loop.nextTurn() }
      #expect(transport.record.reads == 1)
      transport.announce(.write)
      #expect(try await received == bytes("x"))
    }
  }

  @Test("a write that waits for input goes on when there is some", arguments: Place.allCases)
  func writeAwaitsRead(_ place: Place) async throws {
    let transport = ScriptedTransport(output: [.wouldBlock(.read)])
    try await withScript(place, transport) { link in
      try await link.connection.send("x")
      async let flushing: Void = link.connection.flush()
      try await untilWriting(link.connection)
      transport.announce(.write)
      for _ in 0..<5 { await link.loop.nextTurn() }
      #expect(transport.record.writes == 1)
      transport.announce(.read)
      try await flushing
      #expect(transport.record.written == bytes("x"))
    }
  }

  @Test("an end of stream that waits for room is sent when there is some", arguments: Place.allCases)
  func shutdownWaits(_ place: Place) async throws {
    let transport = ScriptedTransport(shutdowns: [.wouldBlock(.write), .wouldBlock(.read)])
    try await withScript(place, transport) { link in
      try await link.connection.send("last")
      async let finishing: Void = link.connection.finishWriting()
      try await untilWriting(link.connection)
      #expect(transport.record.shutdowns == 1)
      transport.announce(.write)
      try await eventually("it is tried again") { transport.record.shutdowns == 2 }
      transport.announce(.read)
      try await finishing
      #expect(transport.record.shutdowns == 3)
      #expect(transport.record.written == bytes("last"))
    }
  }

  @Test("close waits for an end of stream that needs room", arguments: Place.allCases)
  func closeWaitsForShutdown(_ place: Place) async throws {
    let transport = ScriptedTransport(input: [.end], shutdowns: [.wouldBlock(.write)])
    try await withScript(place, transport) { link in
      async let closing: Void = link.connection.close()
      try await eventually("it is tried") { transport.record.shutdowns == 1 }
      for _ in 0..<5 { await link.loop.nextTurn() }
      #expect(transport.record.closes.isEmpty)
      transport.announce(.write)
      await closing
      #expect(transport.record.shutdowns == 2)
      #expect(transport.record.closes == [false])
    }
  }

  @Test("a read that fails is a failure of the connection, for ever", arguments: Place.allCases)
  func readFails(_ place: Place) async throws {
    let error = Errno(rawValue: 5)
    let transport = ScriptedTransport(input: [.bytes(bytes("x")), .failed(error), .bytes(bytes("never"))])
    try await withScript(place, transport) { link in
      let received = try await link.connection.read()
      #expect(received == bytes("x"))
      let first = await socketError { try await link.connection.read() }
      #expect(first == .failed(error, call: "recv", address: nil))
      #expect(await socketError { try await link.connection.read() } == first)
      #expect(await socketError { try await link.connection.send("x") } == first)
      #expect(link.connection.closeReason == .failed(error, call: "recv"))
    }
  }

  @Test("a write that fails without any news ends reads, too, and nobody spins", arguments: Place.allCases)
  func writeFails(_ place: Place) async throws {
    let error = Errno(rawValue: 104)
    let transport = ScriptedTransport(output: [.failed(error)])
    try await withScript(place, transport) { link in
      async let reader = socketError { try await link.connection.read() }
      try await untilReading(link.connection)
      let sendError = await socketError { try await link.connection.send(payload(100_000)) }
      #expect(sendError?.isReset == true)
      #expect(await reader?.isReset == true)
      #expect(await socketError { try await link.connection.read() }?.isReset == true)
      #expect(link.connection.closeReason == .reset)
    }
  }

  @Test("a write that is told of an end is a broken pipe, and reads go on", arguments: Place.allCases)
  func writeMeetsEnd(_ place: Place) async throws {
    let transport = ScriptedTransport(output: [.end])
    try await withScript(place, transport) { link in
      async let received = link.connection.read()
      try await untilReading(link.connection)
      #expect(await socketError { try await link.connection.send(payload(100_000)) }?.tellsOfPeerGone == true)
      transport.arrive(.bytes(bytes("still")), .end)
      #expect(try await received == bytes("still"))
      #expect(try await link.connection.read() == nil)
    }
  }

  @Test("an abort is passed on, queued output is not", arguments: Place.allCases)
  func abort(_ place: Place) async throws {
    let transport = ScriptedTransport()
    transport.block()
    try await withScript(place, transport) { link in
      try await link.connection.send("x")
      link.connection.abort()
      #expect(transport.record.closes == [true])
      #expect(transport.record.written == [])
    }
  }

  @Test("a drain asks it how much had arrived", arguments: Place.allCases)
  func drain(_ place: Place) async throws {
    let transport = ScriptedTransport(input: [.bytes(bytes("abc")), .bytes(bytes("def"))])
    try await withScript(place, transport) { link in
      link.connection.handle.beginDrain()
      let first = try await link.connection.read(atMost: 2)
      #expect(first == bytes("ab"))
      transport.arrive(.bytes(bytes("late")))
      let rest = try await link.connection.receiveToEnd()
      #expect(rest == bytes("cdef"))
    }
  }

  @Test("a drain loses nothing that had arrived while it has to write first", arguments: Place.allCases)
  func drainBehindWrite(_ place: Place) async throws {
    let transport = ScriptedTransport(input: [.wouldBlock(.write), .bytes(bytes("abc"))])
    try await withScript(place, transport) { link in
      link.connection.handle.beginDrain()
      async let everything = link.connection.receiveToEnd()
      try await eventually("it waits") { transport.record.reads == 1 }
      transport.announce(.write)
      #expect(try await everything == bytes("abc"))
    }
  }

  @Test("when the loop stops, whoever waits is told and it is closed (P45)")
  func loopStops() async throws {
    let group = try EventLoopGroup(count: 1)
    let transport = ScriptedTransport()
    transport.block()
    let connection = try Connection(over: transport, on: group.loops[0])
    async let reader = socketError { try await connection.read() }
    try await connection.send("x")
    async let flusher = socketError { try await connection.flush() }
    try await untilReading(connection)
    try await untilWriting(connection)
    await group.shutdown()
    #expect(await reader == .loopStopped)
    #expect(await flusher == .loopStopped)
    #expect(transport.record.closes == [true])
    #expect(connection.closeReason == .aborted)
  }
}
