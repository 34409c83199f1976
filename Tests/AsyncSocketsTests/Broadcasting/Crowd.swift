import AsyncSockets
import Framing
import TestHarness

/// Members of a broadcast over transports in memory, on several loops, some of which can be blocked.
struct Crowd: Sendable {
  struct Member: Sendable {
    let lines: FramedConnection<LineFraming>
    let transport: ScriptedTransport

    var received: String { String(decoding: transport.record.written, as: UTF8.self) }
  }

  let room: Broadcast<LineFraming>
  let members: [Member]
  let clock: ManualClock

  subscript(_ index: Int) -> Member { members[index] }

  /// Waits until everybody but these has had so much.
  func untilReceived(_ text: String, except slow: Set<Int> = []) async throws {
    try await eventually("everybody has it") {
      members.indices.allSatisfy { slow.contains($0) || members[$0].received == text }
    }
  }
}

/// Runs `body` beside so many connections that have joined a room.
func withCrowd(
  _ count: Int, slowConsumers: SlowConsumerPolicy = .disconnect, high: Int = 100,
  _ body: @escaping @Sendable (Crowd) async throws -> Void
) async throws {
  let clock = ManualClock()
  try await withAuditedLoops(count: 2, clock: clock) { group in
    let room = Broadcast(LineFraming(), slowConsumers: slowConsumers)
    let members = try (0..<count).map { number in
      let transport = ScriptedTransport()
      let connection = try Connection(
        over: transport, on: group.loops[number % 2], options: .marks(high: high, low: high / 2))
      return Crowd.Member(lines: connection.framed(LineFraming()), transport: transport)
    }
    let crowd = Crowd(room: room, members: members, clock: clock)
    defer { for member in members { member.lines.abort() } }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for member in members {
        group.addTask(executorPreference: member.lines.loop.executor) {
          // Until the end of the test.
          try await room.join(member.lines) { try await member.lines.untilDraining() }
        }
      }
      try await eventually("all have joined") { room.count == count }
      try await body(crowd)
      group.cancelAll()
      while await group.nextResult() != nil {}
    }
    if room.count != 0 { throw CrowdStays(count: room.count) }
  }
}

private struct CrowdStays: Error { let count: Int }
