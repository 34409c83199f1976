import AsyncSockets
import Framing
import TestHarness
import Testing

@Suite("Races: messages to many", .serialized, .timeLimit(.minutes(4)))
struct RacesBroadcastTests {
  @Test(
    "members come, go, stall and end while messages are sent from everywhere: each gets whole ones, and none stays",
    arguments: ["disconnect", "dropNewest", "dropOldest", "wait"])
  func comingAndGoing(_ name: String) async throws {
    let policies: [String: SlowConsumerPolicy] = [
      "disconnect": .disconnect, "dropNewest": .dropNewest, "dropOldest": try .dropOldest(keeping: 3),
      "wait": .wait,
    ]
    let policy = try #require(policies[name])
    let rounds = rounds(20, slow: 200)
    try await withAuditedLoops(count: 2) { loops in
      let room = Broadcast(LineFraming(), slowConsumers: policy)
      try await withThrowingTaskGroup { group in
        for member in 0..<6 {
          let loop = loops.loops[member % 2]
          group.addTask(executorPreference: member == 0 ? globalConcurrentExecutor : loop.executor) {
            for round in 0..<rounds {
              let transport = ScriptedTransport()
              let connection = try Connection(over: transport, on: loop, options: .marks(high: 40, low: 20))
              let lines = connection.framed(LineFraming())
              try await room.join(lines) {
                if round % 3 == 0 { transport.block() }
                for _ in 0..<3 { await loop.nextTurn() }
                transport.unblock()
                if round % 5 == 0 { connection.abort() }
                for _ in 0..<2 { await loop.nextTurn() }
              }
              connection.abort()
              let text = String(decoding: transport.record.written, as: UTF8.self)
              #expect(text.isEmpty || text.hasPrefix("a line of text"))
              #expect(text.split(separator: "\n").dropLast().allSatisfy { $0 == "a line of text" })
            }
          }
        }
        for sender in 0..<3 {
          let executor: any TaskExecutor =
            sender == 0 ? globalConcurrentExecutor : loops.loops[sender - 1].executor
          group.addTask(executorPreference: executor) {
            for _ in 0..<(10 * rounds) {
              let delivery = try await room.send("a line of text")
              #expect(delivery.delivered.count <= 6)
              await loops.loops[0].nextTurn()
            }
          }
        }
        try await group.waitForAll()
      }
      #expect(room.count == 0)
    }
  }
}
