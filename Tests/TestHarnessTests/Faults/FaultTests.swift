import AsyncSockets
import TestHarness
import Testing

/// Each is measured with the fault and without: without, nothing of it must show.
@Suite("What a fault does", .timeLimit(.minutes(2)))
struct FaultTests {
  private static let payload = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }

  // MARK: Time

  @Test("latency: every byte and the end come so much later, and no more", arguments: [0, 50])
  func latency(milliseconds: Int) async throws {
    let latency = Duration.milliseconds(milliseconds)
    let fault = milliseconds > 0 ? Fault.latency(latency) : nil
    try await withFaultedPair(fault) { pair in
      let there = try await pair.time {
        try await pair.client.send("ping")
        #expect(try await pair.server.read(exactly: 4) == Array("ping".utf8))
      }
      #expect(there == .zero)
      let back = try await pair.time {
        try await pair.server.send("pong")
        #expect(try await pair.client.read(exactly: 4) == Array("pong".utf8))
      }
      #expect(back == latency)
      let end = try await pair.time {
        try await pair.server.finishWriting()
        #expect(try await pair.client.read() == nil)
      }
      #expect(end == latency)
    }
  }

  /// When each of twenty messages came.
  private func jitter(_ jitter: Duration, seed: UInt64) async throws -> [Duration] {
    try await withFaultedPair(.latency(.milliseconds(50), jitter: jitter), seed: seed) { pair in
      var times: [Duration] = []
      for _ in 0..<20 {
        times.append(
          try await pair.time {
            try await pair.server.send([1])
            #expect(try await pair.client.read() == [1])
          })
      }
      return times
    }
  }

  @Test("jitter: each comes later or sooner, by what the seed decides")
  func jitter() async throws {
    let times = try await jitter(.milliseconds(10), seed: 3)
    #expect(times.allSatisfy { $0 >= .milliseconds(40) && $0 <= .milliseconds(60) }, "\(times)")
    #expect(times.contains { $0 < .milliseconds(50) } && times.contains { $0 > .milliseconds(50) })
    #expect(try await jitter(.milliseconds(10), seed: 3) == times)
    #expect(try await jitter(.milliseconds(10), seed: 4) != times)
    #expect(Set(try await jitter(.zero, seed: 3)) == [.milliseconds(50)])
  }

  @Test(
    "latency: what is sent at different times comes in order and as far apart, without waiting for what is before"
  )
  func pipelined() async throws {
    try await withFaultedPair(.latency(.seconds(1))) { pair in
      for number in 0..<10 as Range<UInt8> {
        try await pair.server.send([number])
        try await pair.world.sleep(for: .milliseconds(100))
      }
      // The first has just come, and the tenth comes 0.9 s after it.
      let time = try await pair.time {
        let result = try await pair.client.read(exactly: 10)
        #expect(result == Array(0..<10))
      }
      #expect(time == .milliseconds(900))
    }
  }

  @Test("bandwidth: a tenth of a megabyte at 100 kB/s takes a second", arguments: [true, false])
  func bandwidth(hasFault: Bool) async throws {
    try await withFaultedPair(hasFault ? .bandwidth(bytesPerSecond: 100_000) : nil) { pair in
      let time = try await pair.time {
        async let sent: Void = pair.server.send(Self.payload)
        #expect(try await pair.client.read(exactly: Self.payload.count) == Self.payload)
        try await sent
      }
      #expect(time == (hasFault ? .seconds(1) : .zero))
    }
  }

  @Test("bandwidth: one byte a second comes each second")
  func slowest() async throws {
    try await withFaultedPair(.bandwidth(bytesPerSecond: 1)) { pair in
      try await pair.server.send("slow")
      for _ in 0..<4 {
        let time = try await pair.time {
          let bytes = try await pair.client.read()
          #expect(bytes?.count == 1)
        }
        #expect(time == .seconds(1))
      }
    }
  }

  @Test("slicer: bytes come in pieces, a time apart", arguments: [true, false])
  func slicer(hasFault: Bool) async throws {
    let fault = Fault.slicer(averageSize: 100, variation: 20, delay: .milliseconds(10))
    try await withFaultedPair(hasFault ? fault : nil) { pair in
      let begin = pair.world.elapsed
      try await pair.server.send([UInt8](Self.payload[..<5000]))
      try await pair.server.finishWriting()
      var received: [UInt8] = []
      var sizes: [Int] = []
      while let bytes = try await pair.client.read() {
        let expected = Duration.milliseconds(hasFault ? 10 * sizes.count : 0)
        #expect(pair.time(since: begin) == expected)
        received += bytes
        sizes.append(bytes.count)
      }
      #expect(received == [UInt8](Self.payload[..<5000]))
      if hasFault {
        #expect(sizes.dropLast().allSatisfy { (80...120).contains($0) }, "\(sizes)")
        #expect(Set(sizes).count > 5, "\(sizes)")
      } else {
        #expect(sizes.contains { $0 > 120 })
      }
    }
  }

  // MARK: Ends

  @Test("slow close: the end comes late, the bytes do not", arguments: [0, 3])
  func slowClose(seconds: Int) async throws {
    try await withFaultedPair(seconds > 0 ? .slowClose(.seconds(seconds)) : nil) { pair in
      let bytes = try await pair.time {
        try await pair.server.send("bye")
        try await pair.server.finishWriting()
        #expect(try await pair.client.read(exactly: 3) == Array("bye".utf8))
      }
      #expect(bytes == .zero)
      let end = try await pair.time {
        let end = try await pair.client.read()
        #expect(end == nil)
      }
      #expect(end == .seconds(seconds))
    }
  }

  @Test("time-out: no byte comes, and then the end, for both", arguments: [true, false])
  func timeout(hasFault: Bool) async throws {
    try await withFaultedPair(hasFault ? .timeout(after: .seconds(5)) : nil) { pair in
      let begin = pair.world.elapsed
      try await pair.server.send("lost")
      let read = try? await pair.client.read(deadline: .after(.seconds(100)))
      #expect(read == (hasFault ? nil : Array("lost".utf8)))
      #expect(pair.time(since: begin) == (hasFault ? .seconds(5) : .zero))
      if hasFault { #expect(try await pair.server.read() == nil) }
    }
  }

  @Test("time-out without a time: what is sent is lost until it is removed, and the end is not lost")
  func blackhole() async throws {
    try await withFaultedPair { pair in
      let fault = try pair.proxy.add(.timeout())
      try await pair.server.send("lost")
      await #expect {
        try await pair.client.read(deadline: .after(.seconds(3600)))
      } throws: { "\($0)".contains("the deadline passed") }
      fault.remove()
      try await pair.server.send("found")
      #expect(try await pair.client.read(exactly: 5) == Array("found".utf8))
      let again = try pair.proxy.add(.timeout())
      try await pair.server.finishWriting()
      try await pair.world.sleep(for: .seconds(1))
      again.remove()
      #expect(try await pair.client.read() == nil)
    }
  }

  @Test("reset peer: both are reset at its time, though nobody reads", arguments: [0, 2])
  func resetPeer(seconds: Int) async throws {
    try await withFaultedPair { pair in
      try await pair.server.send("before")
      #expect(try await pair.client.read(exactly: 6) == Array("before".utf8))
      // The direction is full, and its receiver is not reading.
      try await pair.server.send(
        [UInt8](repeating: 0, count: 2_000_000), giveUpAfter: .seconds(1), pair.world)
      let begin = pair.world.elapsed
      try pair.proxy.add(.resetPeer(after: .seconds(seconds)))
      await #expect(throws: SocketError.self) { try await pair.server.flush() }
      #expect(pair.time(since: begin) == .seconds(seconds))
      for end in [pair.server, pair.client] {
        await #expect { while try await end.read() != nil {} } throws: { "\($0)".contains("ECONNRESET") }
      }
    }
  }

  @Test("limit data: so many bytes come, and the connection is closed", arguments: [0, 1, 70_000])
  func limitData(limit: Int) async throws {
    try await withFaultedPair(.limitData(limit)) { pair in
      async let sent: Void = pair.server.send(Self.payload)
      var received: [UInt8] = []
      while let bytes = try await pair.client.read() { received += bytes }
      #expect(received == Array(Self.payload[..<limit]))
      try? await sent
      #expect(try await pair.server.read() == nil)
      try await eventually("the connection is over") { pair.proxy.connectionCount == 0 }
    }
  }

  @Test("half-close: so many bytes come and the end, and the other direction goes on", arguments: [0, 5])
  func halfClose(bytes: Int) async throws {
    try await withFaultedPair(.halfClose(afterBytes: bytes)) { pair in
      try await pair.server.send("hello, world")
      var received: [UInt8] = []
      while let bytes = try await pair.client.read() { received += bytes }
      #expect(received == Array("hello, world".utf8.prefix(bytes)))
      try await pair.client.send("still here")
      #expect(try await pair.server.read(exactly: 10) == Array("still here".utf8))
      // The server, which knows nothing of it, is not kept waiting.
      for _ in 0..<20 { try await pair.server.send(Self.payload) }
      try await pair.client.finishWriting()
      #expect(try await pair.server.read() == nil)
    }
  }

  // MARK: Bytes

  @Test("stall: so many bytes come, the sender is made to wait, and nothing is lost", arguments: [0, 5])
  func stall(bytes: Int) async throws {
    try await withFaultedPair { pair in
      let fault = try pair.proxy.add(.stall(afterBytes: bytes))
      async let sent: Void = pair.server.send([UInt8](repeating: 7, count: 2_000_000))
      if bytes > 0 { #expect(try await pair.client.read(exactly: bytes)?.count == bytes) }
      await #expect {
        try await pair.client.read(deadline: .after(.seconds(20)))
      } throws: { "\($0)".contains("the deadline passed") }
      let counters = pair.server.counters
      #expect(counters.bytesWritten < counters.bytesAccepted, "the sender waits")
      fault.remove()
      let rest = try await pair.client.read(exactly: 2_000_000 - bytes)
      #expect(rest == [UInt8](repeating: 7, count: 2_000_000 - bytes))
      try await sent
    }
  }

  /// What arrives of zeroes.
  private func corrupted(share: Double?, seed: UInt64) async throws -> [UInt8] {
    try await withFaultedPair(share.map { .corrupt(share: $0) }, seed: seed) { pair in
      try await pair.server.send([UInt8](repeating: 0, count: 50_000))
      return try await pair.client.read(exactly: 50_000) ?? []
    }
  }

  @Test("corrupt: a share of the bytes has one bit flipped, which the seed decides")
  func corrupt() async throws {
    let bytes = try await corrupted(share: 0.01, seed: 1)
    let wrong = bytes.filter { $0 != 0 }
    #expect((400...600).contains(wrong.count), "\(wrong.count)")
    #expect(wrong.allSatisfy { $0.nonzeroBitCount == 1 })
    #expect(Set(wrong).count == 8)
    #expect(try await corrupted(share: 0.01, seed: 1) == bytes)
    #expect(try await corrupted(share: 0.01, seed: 2) != bytes)
    #expect(try await corrupted(share: nil, seed: 1).allSatisfy { $0 == 0 })
    #expect(try await corrupted(share: 1, seed: 1).allSatisfy { $0 != 0 })
  }
}

extension Connection {
  /// Sends as much as goes, and leaves the rest in the output buffer.
  fileprivate func send(_ bytes: [UInt8], giveUpAfter time: Duration, _ world: SimulatedWorld) async throws {
    _ = try? await withDeadline(.after(time), on: world.loop) { try await self.send(bytes) }
  }
}
