import AsyncSockets
import TestHarness
import Testing

@Suite("An operation that is cancelled", .timeLimit(.minutes(30)))
struct CancellationSweepTests {
  @Test(
    "at any step, before or after what it waits for has come, ends soon, loses nothing and leaves nothing (P38, P41)",
    arguments: CancelledOperation.allCases)
  func sweep(operation: CancelledOperation) async {
    await #expect(processExitsWith: .success) { [operation = operation as CancelledOperation] in
      await reportingErrors {
        try await sweepCancellation(of: operation, steps: rounds(8, slow: 40), supplies: rounds(2, slow: 12))
      }
    }
  }
}

/// Cancels at each of the first steps, over every kind of socket, on the loop and off it, in a process where nothing
/// else opens descriptors.
private func sweepCancellation(of operation: CancelledOperation, steps: Int, supplies: Int) async throws {
  // The shared loops, which `eventually` sleeps on, open theirs for good.
  _ = try EventLoopGroup.shared
  // How long the system takes to connect is not ours to say: once before it begins, and once after all is done.
  let surely = operation == .connect || operation == .race ? [-1, Int.max] : []
  let clock = ManualClock()
  try await withAuditedLoops(clock: clock, countingDescriptors: true) { group in
    for route in Route.allCases {
      var outcomes: Set<Bool> = []
      for cancelledAt in Array(0..<steps) + surely {
        for suppliedAt in 0..<supplies {
          let moment = Moment(
            cancelledAt: cancelledAt, suppliedAt: suppliedAt, loop: group.loops[0], isOnLoop: route.isOnLoop)
          outcomes.insert(try await operation.run(moment, route.network, clock))
          try await soon("no deadline is left: \(operation), \(moment)", on: group.loops[0]) {
            group.loops[0].census.deadlines == 0
          }
        }
      }
      #expect(outcomes == [true, false], "\(operation) \(route.testDescription): both must occur")
    }
  }
}
