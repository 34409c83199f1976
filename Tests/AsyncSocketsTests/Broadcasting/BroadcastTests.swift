import AsyncSockets
import Framing
import Synchronization
import Peers
import TestHarness
import Testing

@Suite("A message to many", .timeLimit(.minutes(4)))
struct BroadcastTests {
  @Test("goes to all members on all loops, to all but one, or to those who are chosen")
  func receivers() async throws {
    try await withCrowd(5) { crowd in
      let all = try await crowd.room.send("all")
      #expect(all.delivered.count == 5)
      #expect(all.description == "5 delivered")
      let others = try await crowd.room.send("others", except: crowd[2].lines)
      #expect(!others.delivered.contains { $0 === crowd[2].lines })
      let chosen = try await crowd.room.send("chosen") { $0 === crowd[2].lines || $0 === crowd[3].lines }
      #expect(chosen.delivered.count == 2)
      try await eventually("they have it") {
        crowd.members.map(\.received)
          == [
            "all\nothers\n", "all\nothers\n", "all\nchosen\n", "all\nothers\nchosen\n", "all\nothers\n",
          ]
      }
    }
  }

  @Test("is encoded once, and one that cannot be encoded goes to nobody")
  func encodedOnce() async throws {
    let framing = CountingFraming()
    let room = Broadcast(framing)
    try await withAuditedLoops { group in
      let transports = (0..<3).map { _ in ScriptedTransport() }
      let members = try transports.map {
        try Connection(over: $0, on: group.loops[0]).framed(framing)
      }
      try await room.join(members[0]) {
        try await room.join(members[1]) {
          try await room.join(members[2]) {
            try await room.send("once")
            #expect(framing.encodings.load(ordering: .relaxed) == 1)
            await #expect(throws: FramingError.self) { try await room.send("bad") }
            #expect(room.members.count == 3)
          }
        }
      }
      #expect(room.count == 0)
      for member in members { try await member.flush() }
      for transport in transports { #expect(transport.record.written.elementsEqual("once".utf8)) }
      for member in members { member.abort() }
    }
  }

  @Test(
    "is not copied on its way to the transports of those who have nothing else queued",
    arguments: Place.allCases)
  func shared(_ place: Place) async throws {
    try await withAuditedLoops(count: 2) { group in
      let room = Broadcast(LineFraming())
      let transports = (0..<4).map { _ in AddressTransport() }
      let members = try transports.enumerated().map { number, transport in
        try Connection(over: transport, on: group.loops[number % 2]).framed(LineFraming())
      }
      try await room.join(members[0]) {
        try await room.join(members[1]) {
          try await room.join(members[2]) {
            try await room.join(members[3]) {
              try await run(Route(network: .ipv4, isOnLoop: place == .onLoop), on: group.loops[0]) {
                try await room.send(String(repeating: "x", count: 1000))
              }
            }
          }
        }
      }
      for member in members { try await member.flush() }
      let addresses = transports.map(\.address)
      #expect(addresses[0] != 0)
      #expect(Set(addresses).count == 1)
      for member in members { member.abort() }
    }
  }

  @Test("one stalled member of 1,000 delays nobody, and holds no more than its own buffer (P33)")
  func stalled() async throws {
    try await withCrowd(1000, slowConsumers: .dropNewest, high: 1000) { crowd in
      crowd[7].transport.block()
      let line = String(repeating: "x", count: 99)
      var dropped = 0
      for number in 1...30 {
        let delivery = try await crowd.room.send(line)
        #expect(delivery.delivered.count + delivery.dropped.count == 1000)
        if !delivery.dropped.isEmpty {
          #expect(delivery.dropped.count == 1 && delivery.dropped[0] === crowd[7].lines)
          dropped += 1
        }
        // The others have it before the next is sent.
        try await eventually("the others have it") {
          crowd.members.indices.allSatisfy {
            $0 == 7 || crowd[$0].transport.record.written.count == number * 100
          }
        }
      }
      #expect(dropped == 20)
      #expect(crowd[7].lines.connection.queued == 1000)
      figure("P33", "bytes held for one stalled member of 1,000, with a mark of 1000", 1000)
      figure("P33", "messages that the 999 others got, of 30", 30)
      crowd[7].transport.unblock()
      try await crowd[7].lines.flush()
      #expect(try await crowd.room.send("goes on").delivered.count == 1000)
    }
  }

  @Test("under dropOldest, the latest are kept for who is slow, and come in their order once it takes them")
  func dropOldest() async throws {
    try await withCrowd(3, slowConsumers: .dropOldest(keeping: 3), high: 10) { crowd in
      crowd[1].transport.block()
      var lossy: [Int] = []
      for number in 0..<10 {
        let delivery = try await crowd.room.send("line \(number)")
        #expect(delivery.disconnected.isEmpty && delivery.ended.isEmpty)
        if !delivery.dropped.isEmpty { lossy.append(number) }
        // Lets the member's sender take what it can hold.
        for _ in 0..<3 { await crowd[1].lines.loop.nextTurn() }
      }
      // Two are in the buffer, one waits to be let in, three are kept; of those before, each made room for one.
      #expect(lossy == [6, 7, 8, 9])
      #expect(crowd[1].lines.connection.queued == 14)
      try await crowd.untilReceived((0..<10).map { "line \($0)\n" }.joined(), except: [1])
      crowd[1].transport.unblock()
      let kept = [0, 1, 2, 7, 8, 9].map { "line \($0)\n" }.joined()
      try await eventually("it has the latest: \(crowd[1].received)") { crowd[1].received == kept }
      #expect(try await crowd.room.send("now").dropped.isEmpty)
      try await eventually("and goes on") { crowd[1].received == kept + "now\n" }
    }
  }

  @Test("under disconnect, who is slow is parted with, and learns why")
  func disconnect() async throws {
    try await withCrowd(3, high: 10) { crowd in
      crowd[0].transport.block()
      #expect(try await crowd.room.send("0123456789").delivered.count == 3)
      let delivery = try await crowd.room.send("too much")
      #expect(delivery.disconnected.count == 1 && delivery.disconnected[0] === crowd[0].lines)
      #expect(delivery.description == "2 delivered, 1 disconnected")
      #expect(crowd[0].lines.closeReason == .limit(.slowConsumer))
      await #expect(throws: SocketError.limit(.slowConsumer)) { try await crowd[0].lines.next() }
      try await crowd.untilReceived("0123456789\ntoo much\n", except: [0])
    }
  }

  @Test("under wait, all others have it before the sender is kept waiting, and who is slow misses nothing")
  func wait() async throws {
    try await withCrowd(4, slowConsumers: .wait, high: 10) { crowd in
      crowd[3].transport.block()
      #expect(try await crowd.room.send("0123456789").delivered.count == 4)
      async let second = crowd.room.send("patience")
      try await crowd.untilReceived("0123456789\npatience\n", except: [3])
      // Beside the one that keeps it in the room.
      try await untilWriting(crowd[3].lines.connection, count: 2)
      crowd[3].transport.unblock()
      #expect(try await second.delivered.count == 4)
      try await crowd.untilReceived("0123456789\npatience\n")
    }
  }

  @Test("a sender who is cancelled while it waits returns, and says who has not got it")
  func cancelledWait() async throws {
    try await withCrowd(2, slowConsumers: .wait, high: 10) { crowd in
      crowd[1].transport.block()
      try await crowd.room.send("0123456789")
      let delivery = try await withThrowingTaskGroup { group in
        group.addTask { try await crowd.room.send("never") }
        try await untilWriting(crowd[1].lines.connection, count: 2)
        group.cancelAll()
        return try await group.next()
      }
      #expect(delivery?.delivered.count == 1)
      #expect(delivery?.dropped.count == 1)
      #expect(crowd[1].lines.connection.queued == 11)
    }
  }

  @Test("members whose connections have ended are told apart, under every policy")
  func ended() async throws {
    for policy in [SlowConsumerPolicy.wait, .dropNewest, .disconnect, try .dropOldest(keeping: 2)] {
      try await withAuditedLoops { group in
        let room = Broadcast(LineFraming(), slowConsumers: policy)
        let lines = try Connection(over: ScriptedTransport(), on: group.loops[0]).framed(LineFraming())
        let switched = try Connection(over: ScriptedTransport(), on: group.loops[0]).framed(LineFraming())
        try await room.join(lines) {
          try await room.join(switched) {
            lines.abort()
            _ = try switched.switching(to: .lines)
            let delivery = try await room.send("hello?")
            #expect(delivery.ended.count == 2)
            #expect(delivery.description == "0 delivered, 2 ended")
          }
        }
        switched.abort()
      }
    }
  }

  @Test("what is kept for a member whose connection ends is given up, and it counts as ended")
  func endsWhileKept() async throws {
    try await withAuditedLoops { group in
      let transport = ScriptedTransport()
      transport.block()
      let room = Broadcast(LineFraming(), slowConsumers: try .dropOldest(keeping: 5))
      let connection = try Connection(over: transport, on: group.loops[0], options: .marks(high: 10, low: 5))
      let lines = connection.framed(LineFraming())
      try await room.join(lines) {
        for _ in 0..<4 { #expect(try await room.send("0123456789").delivered.count == 1) }
        lines.abort()
        var delivery = try await room.send("more")
        while delivery.ended.isEmpty {
          await lines.loop.nextTurn()
          delivery = try await room.send("more")
        }
      }
    }
  }

  @Test("messages from many tasks on and off the loops arrive whole, each sender's in its order")
  func manySenders() async throws {
    try await withCrowd(6, slowConsumers: .wait, high: 200) { crowd in
      try await withThrowingTaskGroup { group in
        for sender in 0..<4 {
          let executor: (any TaskExecutor)? = sender == 0 ? globalConcurrentExecutor : nil
          group.addTask(executorPreference: executor ?? crowd[sender].lines.loop.executor) {
            for number in 0..<50 { try await crowd.room.send("\(sender) \(number)") }
          }
        }
        try await group.waitForAll()
      }
      for member in crowd.members {
        try await member.lines.flush()
        let lines = member.received.split(separator: "\n")
        #expect(lines.count == 200)
        for sender in 0..<4 {
          #expect(lines.filter { $0.hasPrefix("\(sender) ") } == (0..<50).map { "\(sender) \($0)" })
        }
      }
    }
  }

  @Test("what a member's body returns or throws, join returns or throws, and the member has left")
  func scope() async throws {
    struct Failure: Error {}
    for policy in [SlowConsumerPolicy.disconnect, try .dropOldest(keeping: 1)] {
      try await withAuditedLoops { group in
        let room = Broadcast(LineFraming(), slowConsumers: policy)
        let lines = try Connection(over: ScriptedTransport(), on: group.loops[0]).framed(LineFraming())
        #expect(try await room.join(lines) { room.count } == 1)
        await #expect(throws: Failure.self) { try await room.join(lines) { throw Failure() } }
        #expect(room.count == 0)
        #expect(try await room.send("nobody").delivered.isEmpty)
        lines.abort()
      }
    }
  }

  @Test("a room that keeps nothing is refused in words")
  func invalid() {
    let error = #expect(throws: SocketError.self) { try SlowConsumerPolicy.dropOldest(keeping: 0) }
    #expect("\(String(describing: error))".contains("dropOldest needs room for at least 1 message, not 0"))
  }
}

/// Counts what is encoded.
private final class CountingFraming: Framing {
  struct Encoder: FrameEncoder {
    let framing: CountingFraming

    mutating func encode(_ frame: String, into output: inout [UInt8]) throws(FramingError) {
      framing.encodings.add(1, ordering: .relaxed)
      if frame == "bad" { throw .unencodable("bad") }
      output += frame.utf8
    }
  }

  let encodings = Atomic(0)

  func makeDecoder() -> LineFraming.Decoder { LineFraming().makeDecoder() }
  func makeEncoder() -> Encoder { Encoder(framing: self) }
}

/// Writes down where in memory it was given bytes.
private final class AddressTransport: Transport {
  private let first = Atomic<UInt>(0)

  var address: UInt { first.load(ordering: .relaxed) }

  func read(into buffer: inout MutableRawSpan) -> TransportResult { .wouldBlock(.read) }

  func write(_ bytes: RawSpan) -> TransportResult {
    let address = unsafe bytes.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
    first.store(address, ordering: .relaxed)
    return .bytes(bytes.byteCount)
  }

  func shutdownWrite() -> TransportResult { .bytes(0) }
  func close(abortively: Bool) {}
  var unreadBytes: Int { 0 }
  func notifyReadiness(_ notify: @escaping @Sendable (TransportReadiness) -> Void) {}
}
