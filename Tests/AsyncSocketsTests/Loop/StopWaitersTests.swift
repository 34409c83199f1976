import Peers
import TestHarness
import Testing

@testable import AsyncSockets

@Suite("Those who wait on an event loop that stops", .timeLimit(.minutes(4)))
struct StopWaitersTests {
  /// A transport that is never ready for anything.
  private final class Stuck: Transport {
    func read(into buffer: inout MutableRawSpan) -> TransportResult { .wouldBlock(.read) }
    func write(_ bytes: RawSpan) -> TransportResult { .wouldBlock(.write) }
    func shutdownWrite() -> TransportResult { .wouldBlock(.write) }
    func close(abortively: Bool) {}
    var unreadBytes: Int { 0 }
    func notifyReadiness(_ notify: @escaping @Sendable (TransportReadiness) -> Void) {}
  }

  private typealias Wait = @Sendable () async throws -> Void

  @Test("1,000 of all kinds are told so, once each (P45)", arguments: [true, false])
  func everybody(isOnLoop: Bool) async throws {
    let loop = try EventLoop(clock: ManualClock())
    let listener = try Listener.bind(to: .loopback(), on: loop)
    let connections = try await connect(60, to: listener, on: loop)
    var waits: [Wait] = []
    var lone: [Connection] = []
    func addLone() throws -> Connection {
      let connection = try Connection(over: Stuck(), on: loop)
      lone.append(connection)
      return connection
    }
    for (connection, _) in connections { waits.append { _ = try await connection.read() } }
    for index in 0..<300 {
      let reader = try addLone()
      let deadline: Deadline = index % 2 == 0 ? .never : .after(.seconds(1))
      waits.append { _ = try await reader.read(deadline: deadline) }
    }
    for _ in 0..<80 {
      let full = try addLone()
      try await fill(full)
      // One waits for its turn, one for the low mark, one for everything, one for the end.
      waits.append { try await full.send("x") }
      waits.append { try await full.flush() }
    }
    for _ in 0..<80 {
      let ending = try addLone()
      try await ending.send("x")
      waits.append { try await ending.finishWriting() }
    }
    for _ in 0..<100 {
      let listener = try Listener.bind(to: .loopback(), on: loop)
      waits.append { _ = try await listener.accept(on: loop) }
    }
    for _ in 0..<300 { waits.append { try await loop.sleep(for: .seconds(1)) } }
    #expect(waits.count == 1000)

    let started = Count()
    let outcomes = try await withThrowingTaskGroup(of: SocketError?.self) { group in
      for wait in waits {
        group.addTask(executorPreference: isOnLoop ? loop.executor : nil) {
          started.increase()
          return await socketError(of: wait)
        }
      }
      // Those of 300 sleepers, of 150 readers, and of 160 connections whose output is stuck.
      try await eventually("all have begun to wait: \(started.value), \(loop.census)") {
        started.value == 1000 && loop.census.deadlines == 610
      }
      await letSettle(loop)
      await loop.shutdown()
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(outcomes == Array(repeating: .loopStopped, count: 1000))
    #expect(loop.census == EventLoop.Census(registrations: 0, deadlines: 0, abandonedConnections: 0))
    for connection in connections.map(\.connection) + lone {
      #expect(connection.closeReason == .aborted)
      connection.abort()
    }
    for (_, peer) in connections { peer.close() }
  }

  private func connect(
    _ count: Int, to listener: Listener, on loop: EventLoop
  ) async throws -> [(connection: Connection, peer: BlockingPeer)] {
    let port = try #require(listener.address.port)
    var connections: [(Connection, BlockingPeer)] = []
    for _ in 0..<count {
      let peer = try await onThread { try BlockingPeer.connect(port: port) }
      connections.append((try await listener.accept(on: loop), peer))
    }
    return connections
  }

  /// Fills a connection's output above its high mark, with one sender waiting for the low one.
  private func fill(_ connection: Connection) async throws {
    let sender = Task { try await connection.send([UInt8](repeating: 0, count: 65_536)) }
    try await eventually("the output is full") { connection.counters.bytesAccepted == 65_536 }
    sender.cancel()
    try await sender.value
  }
}
