import TestHarness
import Testing

@Suite("Cancelled wherever it waits (P38),", .timeLimit(.minutes(5))) struct EveryScenarioSweepTests {
  @Test("it ends, and nothing is left", arguments: SweptScenario.allCases)
  func careful(scenario: SweptScenario) async throws {
    // With seed 3 a pool that is cancelled is quicker than one of those who wait for it.
    for seed in (isThoroughRun ? 1...30 : 3...3) as ClosedRange<UInt64> {
      let sweep = try await sweepCancellation(seed: seed, limit: isThoroughRun ? 100_000 : 150) { world in
        try await scenario.run(in: world, hurried: false)
      }
      print("\(scenario.rawValue): \(sweep)")
      #expect(sweep.points >= 20 && sweep.tried >= 20)
      // Otherwise it has not been cancelled at work.
      #expect(sweep.cancelled > 0)
    }
  }

  @Test("a leak that no other run shows is found", arguments: SweptScenario.allCases)
  func hurried(scenario: SweptScenario) async throws {
    try await withSimulation(seed: 1) { try await scenario.run(in: $0, hurried: true) }
    let failure = await #expect(throws: CancellationSweepFailure.self) {
      try await sweepCancellation(seed: 1, limit: 100_000) { world in
        try await scenario.run(in: world, hurried: true)
      }
    }
    #expect(failure?.failure.underlying is ResourcesLeaked)
    print("\(scenario.rawValue): a leak at point \(failure?.point ?? 0) of \(failure?.points ?? 0)")
  }
}
