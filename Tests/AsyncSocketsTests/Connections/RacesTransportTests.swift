import AsyncSockets
import TestHarness
import Testing

@Suite("Races: two connections over one pipe in memory", .timeLimit(.minutes(5)))
struct RacesTransportTests {
  /// Each end's write tells the other of its news from inside the call, while the other does the same.
  @Test(
    "both ends read and write at full speed, each on a loop of its own or off them", arguments: Place.allCases
  )
  func bothWays(_ place: Place) async throws {
    let total = rounds(300_000, slow: 30_000_000)
    try await withAuditedLoops(count: 2, clock: ManualClock()) { group in
      let (near, far) = MemoryTransport.pair(capacity: 1000)
      let ends = [
        try Connection(over: near, on: group.loops[0]), try Connection(over: far, on: group.loops[1]),
      ]
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        for (number, end) in ends.enumerated() {
          let executor = place == .onLoop ? group.loops[number].executor : nil
          tasks.addTask(executorPreference: executor) {
            let sent = payload(total, seed: UInt8(number))
            for start in stride(from: 0, to: total, by: 3000) {
              try await end.send(Array(sent[start..<min(start + 3000, total)]))
            }
            try await end.finishWriting()
          }
          tasks.addTask(executorPreference: executor) {
            let received = try await end.receiveToEnd()
            #expect(areSame(received, payload(total, seed: UInt8(1 - number))))
          }
        }
        try await tasks.waitForAll()
      }
      for end in ends { await end.close() }
    }
  }
}
