import AsyncSockets
import Framing
import TestHarness
import Testing

@Suite("A broadcast that handlers have joined", .timeLimit(.minutes(4)))
struct HandlerBroadcastTests {
  typealias Room = Broadcast<LineFraming>

  /// A connection in memory that a handler runs, and what it has written.
  private struct Place: Sendable {
    let connection: Connection
    let transport: ScriptedTransport
    let log: ScriptedHandler.Log

    var received: String { String(decoding: transport.record.written, as: UTF8.self) }

    func say(_ line: String) { transport.arrive(.bytes(Array((line + "\n").utf8))) }
  }

  /// Runs `body` beside so many handlers that join the room as soon as they are connected.
  private func withPlaces(
    _ count: Int, in room: Room, _ handler: @escaping @Sendable () -> ScriptedHandler,
    high: Int = 100, body: @escaping @Sendable ([Place], EventLoopGroup) async throws -> Void
  ) async throws {
    try await withAuditedLoops(count: 2, clock: ManualClock()) { loops in
      let places = try (0..<count).map { number in
        let transport = ScriptedTransport()
        let connection = try Connection(
          over: transport, on: loops.loops[number % 2], options: .marks(high: high, low: high / 2))
        return Place(connection: connection, transport: transport, log: ScriptedHandler.Log())
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for place in places {
          group.addTask {
            var handler = handler()
            handler.connected = { handler, context in
              room.join(context)
              place.log.add("joined")
            }
            let last = try await place.connection.run(handler, framing: LineFraming())
            for line in last.log.lines { place.log.add(line) }
          }
        }
        try await eventually("all have joined") { room.count == count }
        do { try await body(places, loops) } catch {
          for place in places { place.connection.abort() }
          throw error
        }
        for place in places { place.connection.abort() }
        try await group.waitForAll()
      }
      #expect(room.count == 0)
    }
  }

  /// Sends each line to all the others, and says who got it.
  private static func relaying(in room: Room) -> ScriptedHandler {
    var handler = ScriptedHandler()
    handler.received = { handler, line, context in
      if line == "leave" { return room.leave(context) }
      if line == "again" { return room.join(context) }
      if line == "abort" { return context.abort() }
      handler.log.add("\(try room.offer(line, except: context))")
    }
    return handler
  }

  @Test("goes to all of them but the one whose handler sends, on all loops, and to tasks beside them")
  func goesToAll() async throws {
    let room = Room(LineFraming())
    try await withPlaces(4, in: room) {
      Self.relaying(in: room)
    } body: { places, loops in
      let task = ScriptedTransport()
      let member = try Connection(over: task, on: loops.loops[1]).framed(LineFraming())
      try await room.join(member) {
        places[0].say("hello")
        try await eventually("the others have it") { places[1...].allSatisfy { $0.received == "hello\n" } }
        try await eventually("the task has it") { task.record.written.elementsEqual("hello\n".utf8) }
        try await room.send("from a task", except: member)
        try await eventually("handlers have it") {
          places[1...].allSatisfy { $0.received.hasSuffix("task\n") }
        }
      }
      #expect(places[0].received == "from a task\n")
      member.abort()
    }
  }

  @Test("has each of them once, and without a connection that has left, has closed, or has failed")
  func leaving() async throws {
    let room = Room(LineFraming())
    try await withPlaces(4, in: room) {
      Self.relaying(in: room)
    } body: { places, _ in
      places[0].say("again")
      places[0].say("leave")
      try await eventually("one has left") { room.count == 3 }
      places[1].say("abort")
      try await eventually("one has aborted") { room.count == 2 }
      places[2].transport.arrive(.failed(.connectionReset))
      try await eventually("one has failed") { room.count == 1 }
      let delivery = try room.offer("who is left?")
      #expect(delivery.delivered.count == 1)
      try await eventually("it has come") { places[3].received == "who is left?\n" }
      places[0].say("again")
      try await eventually("one has come back") { room.count == 2 }
      places[3].transport.arrive(.end)
      try await eventually("one has ended") { room.count == 1 }
    }
  }

  @Test("has nobody in it who closes, when that handler is told so, which may say goodbye for it")
  func closed() async throws {
    let room = Room(LineFraming())
    try await withPlaces(3, in: room) {
      Self.relaying(in: room)
    } body: { places, _ in
      places[0].say("abort")
      try await eventually("it has left") { room.count == 2 }
      try room.offer("somebody has left")
      try await eventually("they hear") { places[1...].allSatisfy { $0.received == "somebody has left\n" } }
      #expect(places[0].received == "")
    }
  }

  @Test(
    "keeps the latest for a handler that is slow, which get there in their order", arguments: [false, true])
  func dropOldest(isPaused: Bool) async throws {
    let room = Room(LineFraming(), slowConsumers: try .dropOldest(keeping: 5))
    let make: @Sendable () -> ScriptedHandler = {
      var handler = ScriptedHandler()
      if isPaused { handler.received = { _, _, context in context.isReading = false } }
      return handler
    }
    try await withPlaces(2, in: room, make, high: 20) { places, loops in
      if isPaused {
        for place in places { place.say("pause") }
        for _ in 0..<5 { for loop in loops.loops { await loop.nextTurn() } }
      }
      places[0].transport.block()
      var dropped = 0
      for number in 1...30 {
        dropped += try room.offer("message \(number)").dropped.count
      }
      try await eventually("the other has all") { places[1].received.hasSuffix("message 30\n") }
      #expect(dropped > 0)
      places[0].transport.unblock()
      try await eventually("it has the last") { places[0].received.hasSuffix("message 30\n") }
      let numbers = places[0].received.split(separator: "\n").compactMap { Int($0.dropFirst(8)) }
      #expect(numbers == numbers.sorted())
      #expect(numbers.suffix(5) == [26, 27, 28, 29, 30])
      #expect(numbers.count == 30 - dropped)
      // And when it is no longer slow, messages go at once.
      #expect(try room.offer("over").delivered.count == 2)
      try await eventually("it goes on") { places[0].received.hasSuffix("over\n") }
    }
  }

  @Test("drops what it would have to wait with, and parts with whom it is told to")
  func otherPolicies() async throws {
    for policy in [SlowConsumerPolicy.wait, .dropNewest, .disconnect] {
      let room = Room(LineFraming(), slowConsumers: policy)
      try await withPlaces(2, in: room, { .echo }, high: 20) { places, _ in
        places[0].transport.block()
        let line = String(repeating: "x", count: 30)
        #expect(try room.offer(line).delivered.count == 2)
        let delivery = try room.offer(line)
        #expect(delivery.delivered.count == 1)
        #expect(delivery.dropped.count == (policy == .disconnect ? 0 : 1))
        if policy == .disconnect {
          try await eventually("it is parted with") { room.count == 1 }
          #expect(places[0].connection.closeReason == .limit(.slowConsumer))
        }
      }
    }
  }

  @Test("that has filled a handler's output makes no error of its next answer, after which it reads no more")
  func fullOutput() async throws {
    let room = Room(LineFraming(), slowConsumers: .dropNewest)
    try await withPlaces(1, in: room, { .echo }, high: 20) { places, loops in
      places[0].transport.block()
      try room.offer(String(repeating: "x", count: 30))
      for number in 1...9 { places[0].say("\(number)") }
      for _ in 0..<5 { for loop in loops.loops { await loop.nextTurn() } }
      #expect(places[0].connection.closeReason == nil)
      #expect(places[0].connection.snapshot.bytesQueued == 33)
      places[0].transport.unblock()
      try await eventually("all is answered") { places[0].received.hasSuffix("8\n9\n") }
    }
  }

  @Test("and that a push has to wait for is told by writable, also to one that does not read")
  func canSend() async throws {
    let room = Room(LineFraming(), slowConsumers: .dropNewest)
    let references = Lock<[HandlerReference<ScriptedHandler>]>([])
    let make: @Sendable () -> ScriptedHandler = {
      var handler = ScriptedHandler()
      handler.received = { handler, _, context in
        let me = context.reference(to: handler)
        references.withLock { $0.append(me) }
        context.isReading = false
      }
      handler.writable = { _, context in try context.send("pushed") }
      return handler
    }
    try await withPlaces(1, in: room, make, high: 20) { places, _ in
      places[0].say("pause")
      try await eventually("it has paused") { references.withLock { $0.count == 1 } }
      places[0].transport.block()
      try room.offer(String(repeating: "x", count: 30))
      let me = references.withLock { $0[0] }
      me.perform { handler, context in if !context.canSend { handler.log.add("full") } }
      try await eventually("it is full") { places[0].connection.snapshot.waits == [.drain] }
      places[0].transport.unblock()
      try await eventually("it pushes") { places[0].received.hasSuffix("pushed\n") }
    }
  }
}
