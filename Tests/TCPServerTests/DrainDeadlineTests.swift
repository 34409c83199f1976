import Framing
import Peers
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("The deadline of a drain", .timeLimit(.minutes(4)))
struct DrainDeadlineTests {
  @Test("a handler that is stuck at the deadline is cancelled, and run returns (P71)")
  func stuckHandler() async throws {
    let log = EventLog()
    let clock = ManualClock()
    let door = Door()
    let stuck = Shared(0)
    let wasCancelled = Shared(0)
    try await withAuditedLoops(count: 2, clock: clock) { _ in
      let server = try await TCPServer.bind(on: .ownLoopback(), configuration: log.configuration())
      async let running: Void = server.run(framing: LineFraming()) { connection in
        stuck.increase()
        do {
          try await door.pass(on: connection.connection.loop)
        } catch {
          wasCancelled.increase()
          throw error
        }
      }
      let peers = try await server.connect(count: 5)
      try await eventually("all are stuck") { stuck.value == 5 }
      server.beginDrain(deadline: .seconds(5))
      clock.advance(by: .milliseconds(4999))
      try await untilRefused(server.address)
      #expect(wasCancelled.value == 0)
      clock.advance(by: .milliseconds(1))
      for peer in peers {
        try await onThread { try peer.expectNothing() }
        peer.close()
      }
      try await running
      // Beside the five there may be those that found the port open still.
      #expect(wasCancelled.value == log.accepted.count)
    }
    #expect(log.reasons.count >= 5)
    #expect(log.reasons.allSatisfy { $0 == .cancelled })
  }

  @Test("a second after the deadline, connections that still have output are aborted (P71)")
  func stuckOutput() async throws {
    let log = EventLog()
    let clock = ManualClock()
    let hasSent = Shared(false)
    let served = Shared<Connection?>(nil)
    try await withAuditedLoops(clock: clock) { _ in
      let server = try await TCPServer.bind(on: .ownLoopback(), configuration: log.configuration())
      async let running: Void = server.run { connection in
        served.set(connection)
        do {
          try await connection.send([UInt8](repeating: 1, count: 20_000_000))
        } catch {
          Issue.record("\(error)")
        }
        hasSent.set(true)
      }
      let peer = try await server.connect(receiveBuffer: 4096)
      try await eventually("the output waits") { (served.value?.counters.bytesAccepted ?? 0) > 0 }
      server.beginDrain(deadline: .seconds(5))
      clock.advance(by: .seconds(5))
      // The send has been accepted whole: cancelled, it returns, and its bytes wait for the peer.
      try await eventually("the handler is cancelled") { hasSent.value }
      #expect(server.connectionCount == 1)
      clock.advance(by: .seconds(1))
      try await running
      #expect(try await onThread { try peer.receiveToEnding().ending } == .reset)
      peer.close()
    }
    #expect(log.reasons.count == 1)
  }

  @Test("a reply that is being flushed at the deadline has another second, as a handler has")
  func flushingAtTheDeadline() async throws {
    let clock = ManualClock()
    let size = 20_000_000
    let hasReturned = Shared(false)
    let log = EventLog()
    try await withAuditedLoops(clock: clock) { _ in
      let server = try await TCPServer.bind(on: .ownLoopback(), configuration: log.configuration())
      async let running: Void = server.run(framing: RawFraming()) { connection in
        defer { hasReturned.set(true) }
        // Accepted whole while nothing is queued, and left behind by a handler that does not wait for it.
        let sending = Shared(false)
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            sending.set(true)
            try await connection.send([UInt8](repeating: 1, count: size))
          }
          try await eventually("the reply is accepted") {
            connection.connection.counters.bytesAccepted == UInt64(size)
          }
          group.cancelAll()
          try await group.waitForAll()
        }
      }
      let peer = try await server.connect(receiveBuffer: 65_536)
      try await eventually("the handler has returned") { hasReturned.value }
      server.beginDrain(deadline: .seconds(5))
      clock.advance(by: .seconds(5))
      let (bytes, ending) = try await onThread { try peer.receiveToEnding() }
      #expect(bytes.count == size)
      #expect(ending == .end)
      peer.close()
      try await running
    }
    #expect(log.reasons.count == 1)
  }

  @Test("a second drain can bring the deadline nearer, and never puts it off (P72)")
  func twice() async throws {
    let clock = ManualClock()
    let door = Door()
    let log = EventLog()
    try await withAuditedLoops(clock: clock) { _ in
      let server = try await TCPServer.bind(on: .ownLoopback(), configuration: log.configuration())
      async let running: Void = server.run(framing: LineFraming()) { connection in
        try await door.pass(on: connection.connection.loop)
      }
      let peer = try await server.connect()
      try await eventually("the handler runs") { log.accepted.count == 1 }
      async let first = server.drain(deadline: .seconds(50))
      async let second = server.drain(deadline: .seconds(5))
      async let third = server.drain(deadline: .seconds(500))
      try await untilRefused(server.address)
      server.beginDrain(deadline: .seconds(5))
      clock.advance(by: .seconds(5))
      try await onThread { try peer.expectNothing() }
      peer.close()
      let report = await first
      #expect(report.count(of: .cancelled) == log.accepted.count)
      #expect(report.duration == .seconds(5))
      #expect(await [second, third] == [report, report])
      try await running
      #expect(await server.drain() == report)
    }
    #expect(log.reasons.allSatisfy { $0 == .cancelled })
  }

  @Test("a deadline of zero cancels at once, in real time too")
  func zero() async throws {
    let log = EventLog()
    let door = Door()
    try await withAuditedLoops { _ in
      let server = try await TCPServer.bind(on: .ownLoopback(), configuration: log.configuration())
      async let running: Void = server.run(framing: LineFraming()) { connection in
        try await door.pass(on: connection.connection.loop)
      }
      let peer = try await server.connect()
      try await eventually("the handler runs") { log.accepted.count == 1 }
      server.beginDrain(deadline: .zero)
      try await onThread { try peer.expectNothing() }
      peer.close()
      try await running
    }
    #expect(log.reasons == [.cancelled])
  }

  @Test("cancelling run in the midst of a drain is the hard stop all the same (P72)")
  func cancelDuringShutdown() async throws {
    let log = EventLog()
    let door = Door()
    try await withAuditedLoops(clock: ManualClock()) { _ in
      let server = try await TCPServer.bind(on: .ownLoopback(), configuration: log.configuration())
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await server.run(framing: LineFraming()) { connection in
            try await door.pass(on: connection.connection.loop)
          }
        }
        let peer = try await server.connect()
        try await eventually("the handler runs") { log.accepted.count == 1 }
        server.beginDrain(deadline: .seconds(500))
        group.cancelAll()
        try await onThread { try peer.expectNothing() }
        peer.close()
        await #expect(throws: CancellationError.self) { try await group.waitForAll() }
      }
    }
    #expect(log.reasons == [.cancelled])
  }

  @Test("a caller of drain who is cancelled returns, and the drain goes on")
  func cancelledCaller() async throws {
    let log = EventLog()
    let door = Door()
    try await withAuditedLoops(clock: ManualClock()) { _ in
      let server = try await TCPServer.bind(on: .ownLoopback(), configuration: log.configuration())
      async let running: Void = server.run(framing: LineFraming()) { connection in
        try await door.pass(on: connection.connection.loop)
        try await connection.send("finished")
      }
      let peer = try await server.connect()
      try await eventually("the handler runs") { log.accepted.count == 1 }
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await server.drain() }
        group.cancelAll()
      }
      door.open()
      try await onThread { try peer.expectEnd(after: "finished\n") }
      peer.close()
      try await running
    }
    #expect(log.reasons == [.drained])
  }
}
