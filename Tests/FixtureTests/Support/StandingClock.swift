import TestHarness
import Testing

/// Runs each test on an audited loop of its own, whose time stands still: however slow the machine is, no patience ends.
struct StandingClock: SuiteTrait, TestTrait, TestScoping {
  var isRecursive: Bool { true }

  @concurrent
  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    guard testCase != nil else { return try await function() }
    try await withAuditedLoops(clock: ManualClock()) { _ in try await function() }
  }
}

extension Trait where Self == StandingClock {
  static var standingClock: Self { Self() }
}
