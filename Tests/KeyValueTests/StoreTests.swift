import Glibc
import TestHarness
import Testing

@testable import keyvalue

@Suite("A replicated store", .timeLimit(.minutes(5))) struct StoreTests {
  private static let isSlow = unsafe getenv("ASYNCSOCKETS_SLOW").map { unsafe String(cString: $0) } == "1"

  @Test("is one register for each key, whoever crashes, is killed, cut off, reset or slow")
  func faults() async throws {
    let report = try await explore(seeds: 0..<(Self.isSlow ? 1000 : 10), faults: Cluster.faults) { world in
      try await Cluster.run(in: world)
    }
    print(report)
  }

  @Test("runs the same way twice with a seed")
  func replay() async throws {
    try await withSimulations(seeds: 0..<2) { try await Cluster.run(in: $0) }
  }

  @Test(
    "with a mistake in it is found out, by a token that leads to it again, and not without the mistake",
    arguments: [Cluster.Flaw.readsOnly, .losesLines])
  func planted(flaw: Cluster.Flaw) async throws {
    let found = try #require(
      await #expect(throws: ExplorationFailure.self) {
        try await explore(seeds: 0..<500, faults: Cluster.faults, budget: .seconds(25)) {
          try await Cluster.run(in: $0, flaw: flaw)
        }
      })
    print("\(flaw): \(found)\n\(found.failure.timeline.last(60))")
    let violation = found.failure.underlying as? HistoryViolation
    #expect(violation?.check == "linearizable")
    try await explore(replaying: "\(found.token)") { try await Cluster.run(in: $0) }
  }
}
