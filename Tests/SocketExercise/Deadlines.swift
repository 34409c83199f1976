import AsyncSockets
import TestHarness

/// Sleeps and reads with deadlines, each of which ends once and never early.
enum Deadlines {
  static func run(count: Int) async throws {
    try await withAuditedLoops(count: 2) { loops in
      let source = try Pair.Source(.loopback(), on: loops.loops[0])
      defer { source.close() }
      try await withThrowingTaskGroup(of: String.self) { group in
        for number in 0..<count {
          let loop = loops.loops[number % 2]
          let executor = number.isMultiple(of: 3) ? nil : loop.executor
          let pair = try await source.next()
          let due = loop.now.advanced(by: .milliseconds(20 * (1 + number % 10)))
          group.addTask(executorPreference: executor) {
            defer { pair.abort() }
            do {
              _ = try await pair.theirs.read(deadline: .at(due))
              throw Failure("a read outlived its deadline")
            } catch SocketError.timedOut {}
            try require(loop.now >= due, "a read ended early")
            return "read \(number)"
          }
          group.addTask(executorPreference: executor) {
            try await loop.sleep(for: loop.now.duration(to: due))
            try require(loop.now >= due, "a sleep ended early")
            return "sleep \(number)"
          }
        }
        SocketExercise.say("ready")
        for try await ended in group { SocketExercise.say(ended) }
      }
    }
  }
}
