import Framing
import Peers
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite(
  "Peers that are slower than the server, and handlers that are slower than their peers",
  .timeLimit(.minutes(4)))
struct SlowPeerTests {
  @Test(
    "20 peers that never read bound what is kept for them, and are ended by the write stall limit (P30, P59)")
  func peersThatNeverRead() async throws {
    let chunk = [UInt8](repeating: 0x61, count: 10_000)
    let log = EventLog()
    let clock = ManualClock()
    let writers = Shared<[Connection]>([])
    try await withAuditedLoops(clock: clock) { _ in
      let configuration = log.configuration()
      let high = configuration.connection.watermarks.high
      let server = try await TCPServer.bind(on: .loopback(), configuration: configuration)
      async let running: Void = server.run { connection in
        guard try await connection.read() == Array("flood".utf8) else {
          return try await connection.send("healthy")
        }
        writers.change { $0.append(connection) }
        while true { try await connection.send(chunk) }
      }
      let idle = try await onThread { [port = server.port] in
        try (0..<20).map { _ in
          let peer = try BlockingPeer.connect(port: port, receiveBuffer: 4096)
          try peer.send("flood")
          return peer
        }
      }
      var written: UInt64 = 0
      var looksWithoutChange = 0
      try await eventually("all of them are stuck") {
        let now = writers.value.reduce(0) { $0 + $1.counters.bytesWritten }
        looksWithoutChange = now == written ? looksWithoutChange + 1 : 0
        written = now
        return writers.value.count == 20 && looksWithoutChange > 50
      }
      for _ in 0..<50 {
        let healthy = try await server.connect()
        let reply = try await onThread {
          try healthy.send("hello")
          return try healthy.receiveToEnd()
        }
        #expect(reply == Array("healthy".utf8))
        healthy.close()
      }
      #expect(writers.value.allSatisfy { $0.queued < UInt64(high + chunk.count) })
      let most = writers.value.map(\.queued).max() ?? 0
      figure("P59", "bytes held for a peer that reads nothing, with a mark of 65536, at most", most)
      // Whatever the kernel still took, a stall began no later than now.
      let limit = try #require(configuration.connection.limits.writeStall)
      clock.advance(by: limit)
      try await log.untilClosed(70)
      for peer in idle {
        #expect(try await onThread { try peer.receiveToEnding().ending } == .reset)
        peer.close()
      }
      await server.drain()
      try await running
    }
    writers.set([])
    #expect(log.reasons.filter { $0 == .limit(.writeStall) }.count == 20)
    #expect(log.reasons.filter { $0 == .closed }.count == 50)
  }

  @Test("a peer that reads again lets the writer go on, and misses nothing (P30)")
  func peerThatReadsLater() async throws {
    let chunk = [UInt8]((0..<10_000).map { UInt8(truncatingIfNeeded: $0) })
    let count = 1000
    let writer = Shared<Connection?>(nil)
    try await withAuditedLoops(clock: ManualClock()) { _ in
      let server = try await TCPServer.bind(on: .loopback())
      async let running: Void = server.run { connection in
        writer.set(connection)
        for _ in 0..<count { try await connection.send(chunk) }
      }
      let peer = try await server.connect(receiveBuffer: 65_536)
      try await eventually("the writer is stuck") {
        writer.value.map { $0.queued > UInt64(Watermarks.standard.low) } ?? false
      }
      writer.set(nil)
      let received = try await onThread { try peer.receiveToEnd() }
      #expect(received.count == count * chunk.count)
      var expected: [UInt8] = []
      for _ in 0..<count { expected += chunk }
      #expect(received == expected)
      peer.close()
      await server.drain()
      try await running
    }
  }

  @Test("a handler that does not read stops its peer, and misses nothing when it reads again (P31)")
  func handlerThatReadsLater() async throws {
    let block = [UInt8]((0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* 31) })
    let door = Door()
    let reader = Shared<Connection?>(nil)
    let received = Shared<[UInt8]>([])
    try await withAuditedLoops { _ in
      let server = try await TCPServer.bind(on: .loopback())
      async let running: Void = server.run { connection in
        reader.set(connection)
        try await door.pass(on: connection.loop)
        for try await chunk in connection.inbound { received.change { $0 += chunk } }
      }
      let peer = try await server.connect()
      try await eventually("the handler runs") { reader.value != nil }
      let sent = try await onThread {
        var sent: [UInt8] = []
        var refusals = 0
        while refusals < 3, sent.count < 100 << 20 {
          let offered = Array(block[(sent.count % block.count)...])
          let count = try peer.sendWithoutWaiting(offered)
          sent += offered.prefix(count)
          refusals = count == 0 ? refusals + 1 : 0
        }
        return sent
      }
      // No more than the kernel's own buffers hold, and nothing of it in ours.
      #expect(sent.count < 32 << 20)
      #expect(reader.value?.counters.bytesRead == 0)
      reader.set(nil)
      door.open()
      try peer.halfClose()
      try await onThread { try peer.expectEnd() }
      #expect(received.value == sent)
      peer.close()
      await server.drain()
      try await running
    }
  }

  @Test("a peer that sends requests and reads no replies is stopped before they fill the memory (P62)")
  func floodOfRequests() async throws {
    let line = String(repeating: "x", count: 1000)
    let lines = Array(String(repeating: line + "\n", count: 100).utf8)
    let served = Shared<Connection?>(nil)
    try await withAuditedLoops(clock: ManualClock()) { _ in
      try await withServer(framing: LineFraming()) { connection in
        served.change { $0 = $0 ?? connection.connection }
        try await echo(connection)
      } body: { server in
        let peer = try await server.connect(receiveBuffer: 4096)
        #expect(try await peer.ask("hello") == "hello")
        let sent = try await onThread {
          var sent = 0
          var refusals = 0
          // The server needs a moment to take what lies in the kernel's buffers, or to stop taking it.
          while refusals < 100, sent < 200 << 20 {
            let count = try peer.sendWithoutWaiting(Array(lines[(sent % lines.count)...]))
            sent += count
            refusals = count == 0 ? refusals + 1 : 0
            if count == 0 { giveOthersAMoment() }
          }
          return sent
        }
        #expect(sent < 64 << 20)
        let queued = try #require(served.value?.queued)
        figure(
          "P62", "bytes of requests taken, and of replies held, of one who reads none", "\(sent), \(queued)")
        #expect(queued <= UInt64(Watermarks.standard.high + line.utf8.count + 1))
        let healthy = try await server.connect()
        #expect(try await healthy.ask("hello") == "hello")
        healthy.close()
        served.set(nil)
        try peer.reset()
      }
    }
  }
}
