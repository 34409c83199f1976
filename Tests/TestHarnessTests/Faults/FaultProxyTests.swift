import AsyncSockets
import TCPServer
import TestHarness
import Testing

@Suite("A fault proxy", .timeLimit(.minutes(2)))
struct FaultProxyTests {
  private static let payload = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 13 ^ $0 >> 7) }

  // MARK: Without faults

  @Test("without faults passes on every byte, both ways at once")
  func transparent() async throws {
    try await withFaultedPair(faults: SystemCallFaults()) { pair in
      try await withThrowingTaskGroup { group in
        for (from, to) in [(pair.client, pair.server), (pair.server, pair.client)] {
          group.addTask { try await from.send(Self.payload) }
          group.addTask {
            let bytes = try await to.read(exactly: Self.payload.count)
            #expect(bytes == Self.payload)
          }
        }
        try await group.waitForAll()
      }
    }
  }

  @Test("without faults passes on the end of one direction, while the other goes on")
  func halfClose() async throws {
    try await withFaultedPair { pair in
      for (from, to) in [(pair.client, pair.server), (pair.server, pair.client)] {
        try await from.send("last")
        try await from.finishWriting()
        #expect(try await to.read(exactly: 4) == Array("last".utf8))
        #expect(try await to.read() == nil)
      }
      try await eventually("both have ended") { pair.proxy.connectionCount == 0 }
    }
  }

  @Test("passes on a reset, after the bytes before it", arguments: [Fault?.none, .latency(.seconds(2))])
  func reset(fault: Fault?) async throws {
    for isClient in [true, false] {
      try await withFaultedPair(fault, isClient ? .upstream : .downstream) { pair in
        let (from, to) = isClient ? (pair.client, pair.server) : (pair.server, pair.client)
        let begin = pair.world.elapsed
        try await from.send("last")
        try await from.flush()
        from.abort()
        #expect(try await to.read(exactly: 4) == Array("last".utf8))
        await #expect { try await to.read() } throws: { "\($0)".contains("ECONNRESET") }
        #expect(pair.time(since: begin) == (fault == nil ? .zero : .seconds(2)))
        try await eventually("it is over") { pair.proxy.connectionCount == 0 }
      }
    }
  }

  @Test("passes on a reset of a side that had ended its stream")
  func resetAfterEnd() async throws {
    try await withFaultedPair { pair in
      try await pair.client.finishWriting()
      #expect(try await pair.server.read() == nil)
      pair.client.abort()
      await #expect {
        while true { try await pair.server.send([1]); try await pair.server.flush() }
      } throws: {
        "\($0)".contains("ECONNRESET") || "\($0)".contains("EPIPE")
      }
    }
  }

  @Test("makes a sender wait for a receiver that does not read, whatever faults there are")
  func backPressure() async throws {
    for fault in [
      Fault?.none, .latency(.zero), .slicer(averageSize: 500), .stall(), .bandwidth(bytesPerSecond: 1),
    ] {
      try await withFaultedPair(fault) { pair in
        var sent = 0
        await #expect(throws: SocketError.self) {
          while true {
            try await withDeadline(.after(.seconds(10)), on: pair.world.loop) {
              try await pair.server.send([UInt8](repeating: 0, count: 10_000))
            }
            sent += 10_000
          }
        }
        // Kernel buffers of two connections, output buffers, and what the proxy holds.
        #expect(sent > 64_000 && sent < 2_300_000, "\(fault.map { "\($0)" } ?? "no fault"): \(sent)")
      }
    }
  }

  @Test("resets a client whose server cannot be reached")
  func noServer() async throws {
    try await withSimulation(seed: 1) { world in
      try await withFaultProxy(to: .loopback(port: 9)) { proxy in
        try await Connector().withConnection(to: proxy.address) { client in
          await #expect { try await client.read() } throws: { "\($0)".contains("ECONNRESET") }
        }
      }
    }
  }

  @Test("resets what is left when its body ends")
  func end() async throws {
    try await withSimulation(seed: 1) { world in
      let listener = try Listener.bind(to: .loopback(port: 7), on: world.loop)
      defer { listener.close() }
      let (client, server) = try await withFaultProxy(to: listener.address) { proxy in
        try proxy.add(.stall(), direction: .upstream)
        async let server = listener.accept(on: world.loop)
        let client = try await Connection.connect(to: proxy.address)
        try await client.send("held")
        return (client, try await server)
      }
      for side in [client, server] {
        await #expect { try await side.read() } throws: { "\($0)".contains("ECONNRESET") }
        side.abort()
      }
    }
  }

  // MARK: Adding and removing

  @Test("a fault concerns its direction alone")
  func directions() async throws {
    for direction in FaultProxy.Direction.allCases {
      try await withFaultedPair(.latency(.seconds(1)), direction) { pair in
        let up = try await pair.time {
          try await pair.client.send([1])
          _ = try await pair.server.read()
        }
        let down = try await pair.time {
          try await pair.server.send([1])
          _ = try await pair.client.read()
        }
        #expect(up == (direction == .upstream ? .seconds(1) : .zero))
        #expect(down == (direction == .downstream ? .seconds(1) : .zero))
      }
    }
  }

  @Test("a fault is put on connections that live, or on new ones only")
  func reach() async throws {
    for reach in [FaultProxy.Reach.allConnections, .newConnections] {
      try await withFaultedPair { pair in
        try pair.proxy.add(.latency(.seconds(1)), to: reach)
        let later = try await pair.another()
        defer { later.abort() }
        for (pair, isLate) in [(pair, reach == .allConnections), (later, true)] {
          let time = try await pair.time {
            try await pair.server.send([1])
            _ = try await pair.client.read()
          }
          #expect(time == (isLate ? .seconds(1) : .zero), "\(reach)")
        }
      }
    }
  }

  @Test("a fault that is removed lets go what it holds, in order and at once, and is off new connections too")
  func removal() async throws {
    try await withFaultedPair { pair in
      let slow = try pair.proxy.add(.latency(.seconds(100)))
      let narrow = try pair.proxy.add(.bandwidth(bytesPerSecond: 10))
      try await pair.server.send("first ")
      try await pair.world.sleep(for: .seconds(1))
      try await pair.server.send("second ")
      try await pair.world.sleep(for: .seconds(1))
      slow.remove()
      slow.remove()
      #expect(pair.proxy.activeFaults == [narrow.fault])
      narrow.remove()
      try await pair.server.send("third")
      let time = try await pair.time {
        let result = try await pair.client.read(exactly: 18)
        #expect(result == Array("first second third".utf8))
      }
      #expect(time == .zero)
      try pair.proxy.add(.stall())
      pair.proxy.removeAllFaults()
      let later = try await pair.another()
      defer { later.abort() }
      try await later.server.send([1])
      #expect(try await later.client.read() == [1])
    }
  }

  @Test("faults act one after the other")
  func several() async throws {
    try await withFaultedPair { pair in
      try pair.proxy.add(.latency(.seconds(1)))
      try pair.proxy.add(.bandwidth(bytesPerSecond: 1000))
      try pair.proxy.add(.limitData(500))
      try await pair.server.send([UInt8](repeating: 1, count: 800))
      let time = try await pair.time {
        let bytes = try await pair.client.read(exactly: 500)
        let end = try await pair.client.read()
        #expect(bytes?.count == 500 && end == nil)
      }
      #expect(time == .milliseconds(1500))
    }
  }

  // MARK: Bad values

  @Test(
    "values that cannot be are refused at once, with the reason",
    arguments: [
      (Fault.latency(.seconds(-1)), "a latency must not be negative, but is -1.0 seconds"),
      (.latency(.seconds(1), jitter: .seconds(-1)), "a jitter must not be negative, but is -1.0 seconds"),
      (
        .latency(.seconds(1), jitter: .seconds(2)),
        "a jitter must be at most its latency, which is 1.0 seconds, but is 2.0 seconds"
      ),
      (.bandwidth(bytesPerSecond: 0), "a bandwidth must be at least 1 byte a second, but is 0"),
      (.slowClose(.seconds(-1)), "the delay of a slow close must not be negative, but is -1.0 seconds"),
      (.timeout(after: .seconds(-1)), "the time of a time-out must not be negative, but is -1.0 seconds"),
      (.resetPeer(after: .seconds(-1)), "the time before a reset must not be negative, but is -1.0 seconds"),
      (.slicer(averageSize: 0), "the average size of a slice must be at least 1 byte, but is 0"),
      (
        .slicer(averageSize: 5, variation: 5),
        "the variation of a slice must be at least 0 and less than its average size, which is 5, but is 5"
      ),
      (
        .slicer(averageSize: 5, delay: .seconds(-1)),
        "the delay between slices must not be negative, but is -1.0 seconds"
      ),
      (.limitData(-1), "a limit of data must be 0 bytes or more, but is -1"),
      (.halfClose(afterBytes: -1), "what goes before a half-close must be 0 bytes or more, but is -1"),
      (.stall(afterBytes: -1), "what goes before a stall must be 0 bytes or more, but is -1"),
      (.corrupt(share: 0), "the share of corrupt bytes must be more than 0 and at most 1, but is 0.0"),
      (.corrupt(share: .nan), "the share of corrupt bytes must be more than 0 and at most 1, but is nan"),
    ] as [(Fault, String)])
  func refused(fault: Fault, message: String) async throws {
    try await withSimulation(seed: 1) { _ in
      try await withFaultProxy(to: .loopback(port: 7)) { proxy in
        #expect(throws: SocketError.invalid(message)) { try proxy.add(fault) }
        #expect(proxy.activeFaults.isEmpty)
      }
    }
  }

  @Test("the largest values that can be do no harm")
  func largest() async throws {
    let faults: [Fault] = [
      .latency(.seconds(Int64.max), jitter: .seconds(Int64.max)), .bandwidth(bytesPerSecond: .max),
      .slowClose(.seconds(Int64.max)), .timeout(after: .seconds(Int64.max)),
      .resetPeer(after: .seconds(Int64.max)),
      .slicer(averageSize: .max, variation: .max - 1, delay: .seconds(Int64.max)), .limitData(.max),
      .halfClose(afterBytes: .max), .stall(afterBytes: .max), .corrupt(share: 1),
    ]
    for fault in faults {
      try await withFaultedPair(fault) { pair in
        try await pair.server.send("hello")
        _ = try? await pair.client.read(deadline: .after(.seconds(1000)))
      }
    }
  }

  // MARK: Everything at once

  @Test("an echo through faults that lose nothing is whole, and runs the same way twice")
  func replay() async throws {
    try await withSimulations(seeds: 0..<3) { world in
      let host = world.host("server")
      let server = try await host.run { try await TCPServer.bind(on: .any(port: 7)) }
      host.start {
        try await server.run { connection in
          for try await bytes in connection.inbound { try await connection.send(bytes) }
        }
      }
      let middle = world.host("proxy")
      try await middle.run {
        try await withFaultProxy(to: host.address.withPort(7), on: .any(port: 8), seed: world.seed) { proxy in
          for direction in FaultProxy.Direction.allCases {
            try proxy.add(.latency(.milliseconds(20), jitter: .milliseconds(20)), direction: direction)
            try proxy.add(
              .slicer(averageSize: 500, variation: 499, delay: .milliseconds(1)), direction: direction)
            try proxy.add(.bandwidth(bytesPerSecond: 50_000), direction: direction)
            try proxy.add(.slowClose(.seconds(1)), direction: direction)
          }
          try await withThrowingTaskGroup { group in
            for client in 0..<3 {
              group.addTask {
                try await world.host("client-\(client)").run {
                  try await Connector().withConnection(to: middle.address.withPort(8)) { connection in
                    for _ in 0..<3 {
                      let message = [UInt8](repeating: UInt8(client), count: world.random(in: 1...3000))
                      try await connection.send(message)
                      #expect(try await connection.read(exactly: message.count) == message)
                    }
                  }
                }
              }
            }
            try await group.waitForAll()
          }
        }
      }
    }
  }
}
