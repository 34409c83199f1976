import Framing
import Peers
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("The report of a drain", .timeLimit(.minutes(4)))
struct DrainReportTests {
  @Test("is one line when all have finished, and the last event")
  func allFinished() async throws {
    let log = EventLog()
    let clock = ManualClock()
    try await withAuditedLoops(count: 2, clock: clock) { _ in
      let server = try await TCPServer.bind(on: .ownLoopback(), configuration: log.configuration())
      async let running: Void = server.run(framing: LineFraming(), echo)
      let peers = try await server.connect(count: 3)
      for peer in peers { #expect(try await peer.ask("hello") == "hello") }
      clock.advance(by: .seconds(90))
      async let draining = server.drain()
      for peer in peers {
        try await onThread { try peer.expectEnd() }
        peer.close()
      }
      let report = await draining
      try await running
      #expect(report.connections.map(\.outcome) == [.finished, .finished, .finished])
      #expect(Set(report.connections.map(\.peerAddress?.port)) == Set(log.accepted))
      for entry in report.connections {
        #expect(entry.reason == .drained)
        #expect(entry.age == .seconds(90))
        #expect(entry.waits == [])
        #expect(entry.bytesUnsent == 0)
      }
      #expect(report.cut == [])
      #expect(report.description == "drained in 0 ns: 3 finished")
      guard case .drained(report) = log.events.last else {
        Issue.record("\(log.events)")
        return
      }
      #expect(log.events.count { if case .drained = $0 { true } else { false } } == 1)
    }
  }

  @Test("says who was cancelled and who was aborted, what each was waiting for, and how many bytes it lost")
  func cut() async throws {
    let clock = ManualClock()
    let door = Door()
    let served = Shared<[String: Connection]>([:])
    try await withAuditedLoops(count: 2, clock: clock) { _ in
      let server = try await TCPServer.bind(on: .ownLoopback())
      async let running: Void = server.run(framing: LineFraming()) { connection in
        guard let name = try await connection.next() else { return }
        served.change { $0[name] = connection.connection }
        switch name {
        case "stuck": try await door.pass(on: connection.loop)
        // Its line has begun to arrive, and may become whole until the deadline.
        case "reader": while let _ = try await connection.next() {}
        default: try await connection.connection.send([UInt8](repeating: 1, count: 6_000_000))
        }
      }
      var peers: [String: BlockingPeer] = [:]
      for name in ["quick", "stuck", "reader", "full"] {
        peers[name] = try await server.connect(receiveBuffer: 4096)
        if name != "quick" { try peers[name]?.send(name + "\nbegun") }
      }
      try await eventually("the output waits") {
        served.value.count == 3 && (served.value["full"]?.counters.bytesAccepted ?? 0) > 0
          && served.value["reader"]?.snapshot.waits == [.read]
          && served.value["full"]?.snapshot.waits == [.drain]
      }
      let ports = try peers.mapValues { try $0.localPort }
      server.beginDrain(deadline: .seconds(5))
      let quick = try #require(peers["quick"])
      try await onThread { try quick.expectEnd() }
      quick.close()
      try await eventually("it has ended") { server.connectionCount == 3 }
      clock.advance(by: .seconds(5))
      for name in ["stuck", "reader"] {
        let peer = try #require(peers[name])
        try await onThread { try peer.expectNothing() }
        peer.close()
      }
      try await eventually("they have ended") { server.connectionCount == 1 }
      async let draining = server.drain()
      clock.advance(by: .seconds(1))
      let report = await draining
      try await running
      peers["full"]?.close()

      func entry(_ name: String) throws -> TCPServer.DrainReport.Entry {
        try #require(report.connections.first { $0.peerAddress?.port == ports[name] })
      }
      #expect(report.connections.count == 4)
      #expect(try entry("quick").outcome == .finished)
      #expect(try entry("stuck").outcome == .cancelled)
      #expect(try entry("stuck").waits == [])
      #expect(try entry("stuck").reason == .cancelled)
      #expect(try entry("reader").outcome == .cancelled)
      #expect(try entry("reader").waits == [.read])
      #expect(try entry("full").outcome == .aborted)
      #expect(try entry("full").waits == [.drain])
      let written = try #require(served.value["full"]).counters.bytesWritten
      #expect(try entry("full").bytesUnsent == 6_000_000 - written)
      #expect(report.duration == .seconds(6))
      let table = report.description.split(separator: "\n")
      #expect(table[0] == "drained in 6.0 s: 1 finished, 2 cancelled, 1 aborted")
      #expect(
        table[1].split(separator: " ").joined(separator: " ") == "peer outcome age waited in unsent reason")
      #expect(table.count == 5)
    }
  }

  @Test(
    "scenario G13: a client that never closes is cut at the deadline, the drain returns and nothing is left")
  func neverCloses() async throws {
    let clock = ManualClock()
    try await withAuditedLoops(clock: clock) { _ in
      let server = try await TCPServer.bind(on: .ownLoopback())
      async let running: Void = server.run { connection in
        // It does not care that its input has ended.
        while true { _ = try await connection.loop.sleep(for: .seconds(3600)) }
      }
      let peer = try await server.connect()
      try await eventually("it is served") { server.connectionCount == 1 }
      server.beginDrain(deadline: .seconds(5))
      clock.advance(by: .seconds(5))
      // That it is told of the end does not move it either.
      try await onThread { try peer.expectNothing() }
      try await eventually("its end is waited for") {
        server.snapshot.connections.allSatisfy { $0.waits == [.close] }
      }
      clock.advance(by: .seconds(1))
      let report = await server.drain()
      try await running
      #expect(report.connections.map(\.outcome) == [.cancelled])
      #expect(server.connectionCount == 0)
      peer.close()
    }
  }

  @Test("a caller who is cancelled has it as it stands, and names who is still there")
  func asItStands() async throws {
    let door = Door()
    try await withAuditedLoops(clock: ManualClock()) { _ in
      let server = try await TCPServer.bind(on: .ownLoopback())
      async let running: Void = server.run { connection in try await door.pass(on: connection.loop) }
      let peer = try await server.connect()
      try await eventually("it is served") { server.connectionCount == 1 }
      let report = await withTaskGroup(of: TCPServer.DrainReport.self) { group in
        group.addTask { await server.drain() }
        group.cancelAll()
        return await group.next()
      }
      #expect(report?.connections.map(\.outcome) == [.unfinished])
      #expect(report?.cut.first?.reason == nil)
      #expect(report?.description.hasPrefix("drained in 0 ns: 1 unfinished\n") == true)
      door.open()
      peer.close()
      try await running
      #expect(await server.drain().connections.map(\.outcome) == [.finished])
    }
  }

  @Test("of a server that never ran, or was cancelled, or had ended by itself, comes without a wait (P72)")
  func withoutADrain() async throws {
    let log = EventLog()
    try await withAuditedLoops(clock: ManualClock()) { _ in
      let never = try await TCPServer.bind(on: .ownLoopback(), configuration: log.configuration())
      #expect(await never.drain().description == "drained in 0 ns: no connections")
      try await never.run { _ in }
      #expect(log.events.map(\.description) == ["drained in 0 ns: no connections"])

      let ended = try await TCPServer.bind(on: .ownLoopback(), configuration: log.configuration())
      ended.stopAccepting()
      try await ended.run { _ in }
      #expect(log.events.count == 1)
      #expect(await ended.drain().connections == [])

      let cancelled = try await TCPServer.bind(on: .ownLoopback(), configuration: log.configuration())
      let door = Door()
      let peer = try await cancelled.connect()
      await withThrowingTaskGroup { group in
        group.addTask { try await cancelled.run { try await door.pass(on: $0.loop) } }
        do {
          try await eventually("it is served") { cancelled.connectionCount == 1 }
        } catch {
          Issue.record(error)
        }
        group.cancelAll()
        do {
          try await onThread { try peer.expectNothing() }
        } catch {
          Issue.record(error)
        }
        peer.close()
      }
      let report = await cancelled.drain()
      #expect(report.connections.map(\.outcome) == [.cancelled])
      #expect(report.duration == .zero)
      guard case .drained(report) = log.events.last else {
        Issue.record("\(log.events)")
        return
      }
    }
  }
}
