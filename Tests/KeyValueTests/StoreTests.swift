import Glibc
import TestHarness
import Testing

@testable import keyvalue

@Suite("A replicated store", .timeLimit(.minutes(10))) struct StoreTests {
  private static let isSlow = unsafe getenv("ASYNCSOCKETS_SLOW").map { unsafe String(cString: $0) } == "1"

  @Test("is one register, whoever crashes, is killed, cut off, reset or slow")
  func faults() async throws {
    print(
      try await explore(seeds: 0..<(Self.isSlow ? 1000 : 5), faults: Cluster.faults) {
        try await Cluster.run(in: $0)
      })
  }

  @Test("runs the same way twice with a seed")
  func replay() async throws {
    try await withSimulations(seeds: [0]) { try await Cluster.run(in: $0) }
  }

  // Docs/Simulation.md shows these tokens.
  private static let mistakes: [(Cluster.Flaw, token: String)] = [
    (.losesLines, "v1,18,crash:a@3.817+0.699,crash:c@8+0.109"),
    (
      .readsOnly,
      "v1,210,slow:bob:a=1/0.5//0.0@1.5+0.582,kill:a@1.973+1.937,kill:b@2.756+0.2,block:b:bob@3+0.1"
    ),
  ]

  @Test(
    "with a mistake in it is found out by its token, which leads to nothing without the mistake",
    arguments: mistakes)
  func planted(flaw: Cluster.Flaw, token: String) async throws {
    let found = try #require(
      await #expect(throws: ExplorationFailure.self) {
        try await explore(replaying: token) { try await Cluster.run(in: $0, flaw: flaw) }
      })
    let violation = found.failure.underlying as? HistoryViolation
    #expect(violation?.check == "linearizable")
    try await explore(replaying: token) { try await Cluster.run(in: $0) }
  }

  @Test("with a mistake in it is found out by some seed", .enabled(if: isSlow), arguments: mistakes)
  func search(flaw: Cluster.Flaw, token: String) async throws {
    let found = await #expect(throws: ExplorationFailure.self) {
      try await explore(seeds: 0..<500, faults: Cluster.faults) { try await Cluster.run(in: $0, flaw: flaw) }
    }
    #expect(found?.token.description == token)
  }
}
