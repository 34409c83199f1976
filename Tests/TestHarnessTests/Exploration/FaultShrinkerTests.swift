import Testing

@testable import TestHarness

@Suite struct FaultShrinkerTests {
  /// Faults that differ by their hosts.
  private static func plan(_ count: Int) -> [PlannedFault] {
    (0..<count).map {
      PlannedFault(.crash("h\($0)"), begin: .milliseconds(1234 + $0), length: .milliseconds(5678))
    }
  }

  private static func hosts(_ plan: [PlannedFault]) -> Set<String> { Set(plan.flatMap(\.effect.names)) }

  /// - Returns: what is left, and in how many runs.
  private static func shrink(
    _ plan: [PlannedFault], while fails: ([PlannedFault]) -> Bool
  ) -> (plan: [PlannedFault], runs: Int) {
    var shrinker = FaultShrinker(plan)
    var runs = 0
    while let candidate = shrinker.next() {
      runs += 1
      shrinker.note(fails: fails(candidate))
    }
    return (shrinker.plan, runs)
  }

  @Test("whatever faults it takes, they are left, and none else", arguments: 0...8)
  func fewest(count: Int) {
    for chosen in 0..<(1 << count) {
      let needed = Set((0..<count).filter { chosen >> $0 & 1 == 1 }.map { "h\($0)" })
      let left = Self.shrink(Self.plan(count)) { needed.isSubset(of: Self.hosts($0)) }
      #expect(Self.hosts(left.plan) == needed)
      #expect(left.runs <= 1 + 4 * count + 10 * max(1, needed.count))
    }
  }

  @Test("what is left is as short as it may be, and at round times")
  func simplest() {
    let left = Self.shrink(Self.plan(3)) { plan in
      plan.contains { $0.effect == .crash("h1") && $0.length >= .seconds(2) }
    }
    #expect(left.plan == [PlannedFault(.crash("h1"), begin: .seconds(1), length: .seconds(2))])
  }

  @Test("where less never fails, nothing is taken away")
  func irreducible() {
    let plan = Self.plan(5)
    #expect(Self.shrink(plan) { $0 == plan }.plan == plan)
    #expect(Self.shrink([]) { _ in true }.plan == [])
  }

  @Test("either of two faults will do: one is left")
  func alternatives() {
    let left = Self.shrink(Self.plan(6)) { !Self.hosts($0).isDisjoint(with: ["h1", "h4"]) }
    #expect(left.plan.count == 1)
  }
}
