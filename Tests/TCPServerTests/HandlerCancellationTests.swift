import Framing
import Peers
import TCPServer
import TestHarness
import TestSupport
import Testing

/// What a handler waits in when it is cancelled.
enum HandlerWait: CaseIterable {
  case read, frame, send, flush, sleep, childTask, asyncLet

  func run(_ connection: Connection) async throws {
    switch self {
    case .read: _ = try await connection.read()
    case .frame: _ = try await connection.framed(LineFraming()).next()
    case .send: while true { try await connection.send([UInt8](repeating: 1, count: 10_000)) }
    case .flush:
      try await leaveOutput(on: connection)
      try await connection.flush()
    case .sleep: try await connection.loop.sleep(for: .seconds(1000))
    case .childTask:
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { _ = try await connection.read() }
        try await group.waitForAll()
      }
    case .asyncLet:
      async let bytes = connection.read()
      _ = try await bytes
    }
  }

  /// Accepted whole, by a child task that then need not wait until it has left.
  private func leaveOutput(on connection: Connection) async throws {
    let size = 20_000_000
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await connection.send([UInt8](repeating: 1, count: size)) }
      while connection.counters.bytesAccepted < size { await Task.yield() }
      group.cancelAll()
      try await group.waitForAll()
    }
  }
}

@Suite("A handler that is cancelled", .timeLimit(.minutes(4)))
struct HandlerCancellationTests {
  /// `watched`: hard, while the server watches for the peer's departure as well.
  enum Stop: CaseIterable { case hard, deadline, watched }

  @Test("it leaves whatever it waits in", arguments: HandlerWait.allCases, Stop.allCases)
  func leavesItsWait(wait: HandlerWait, stop: Stop) async throws {
    let log = EventLog()
    let clock = ManualClock()
    let served = Shared<Connection?>(nil)
    let errors = Shared<[String]>([])
    try await withAuditedLoops(clock: clock) { _ in
      let configuration = log.configuration { if stop == .watched { $0.cancelsHandlers = .onEndOfStream } }
      let server = try await TCPServer.bind(on: .loopback(), configuration: configuration)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await server.run { connection in
            served.set(connection)
            do {
              try await wait.run(connection)
              errors.change { $0.append("none") }
            } catch {
              errors.change { $0.append("\(type(of: error))") }
              throw error
            }
          }
        }
        let peer = try await server.connect(receiveBuffer: 4096)
        try await eventually("the handler runs") { served.value != nil }
        if wait == .send || wait == .flush {
          try await eventually("its output waits") { served.value.map { $0.queued > 0 } ?? false }
        }
        served.set(nil)
        switch stop {
        case .hard, .watched: group.cancelAll()
        case .deadline:
          server.beginDrain(deadline: .seconds(5))
          // A drain ends the input first; a handler that reads has left by then.
          clock.advance(by: .seconds(5))
        }
        try await eventually("the handler has left: \(errors.value)") { errors.value.count == 1 }
        if wait == .send || wait == .flush {
          // A second for the output, and the peer takes none of it.
          clock.advance(by: .seconds(1))
        }
        _ = try await onThread { try peer.receiveToEnding() }
        peer.close()
        do { try await group.waitForAll() } catch { #expect(error is CancellationError && stop != .deadline) }
      }
    }
    let endsWithInput: Set<HandlerWait> = [.read, .frame, .childTask, .asyncLet]
    if stop != .deadline || !endsWithInput.contains(wait) {
      #expect(errors.value == ["CancellationError"])
      #expect(log.reasons == [.cancelled])
    } else {
      #expect(errors.value == ["none"] || errors.value == ["CancellationError"])
    }
    #expect(log.failures == [])
  }

  @Test("a handler may cancel a child task that reads, and read on where it was")
  func ownChild() async throws {
    let isReading = Shared(0)
    try await withAuditedLoops { _ in
      try await withServer(framing: LineFraming()) { connection in
        for _ in 0..<100 {
          await withTaskGroup(of: Void.self) { group in
            group.addTask {
              isReading.increase()
              await #expect(throws: CancellationError.self) { try await connection.next() }
            }
            group.cancelAll()
          }
        }
        try await echo(connection)
      } body: { server in
        let peer = try await server.connect()
        try await eventually("100 reads are cancelled") { isReading.value == 100 }
        #expect(try await peer.ask("hello") == "hello")
        peer.close()
      }
    }
  }

  @Test("the last words of a cancelled handler reach the peer, before the end of the stream")
  func lastWords() async throws {
    let log = EventLog()
    try await withAuditedLoops(clock: ManualClock()) { _ in
      let server = try await TCPServer.bind(on: .loopback(), configuration: log.configuration())
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await server.run(framing: LineFraming()) { connection in
            try await connection.send("last words")
            while try await connection.next() != nil {}
          }
        }
        let peer = try await server.connect()
        try await onThread { try peer.expectLine("last words") }
        group.cancelAll()
        try await onThread { try peer.expectEnd() }
        peer.close()
        await #expect(throws: CancellationError.self) { try await group.waitForAll() }
      }
    }
    #expect(log.reasons == [.cancelled])
  }
}
