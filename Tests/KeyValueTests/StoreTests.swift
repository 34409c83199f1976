import Glibc
import TestHarness
import Testing

@testable import keyvalue

@Suite("A replicated store", .timeLimit(.minutes(5))) struct StoreTests {
  private static let isSlow = unsafe getenv("ASYNCSOCKETS_SLOW").map { unsafe String(cString: $0) } == "1"

  @Test("is one store for all its clients, whatever is cut off or reset")
  func faults() async throws {
    for seed in 0..<(Self.isSlow ? 1000 : 10) as Range<UInt64> {
      try await withSimulation(seed: seed, faults: .none) { try await Cluster.run(in: $0) }
    }
  }

  @Test(
    "that answers before its backups have a command loses it with the primary, and the simulation finds that")
  func answersEarly() async throws {
    let violation = try await violation(of: .answersEarly)
    #expect(violation.check == "linearizable")
  }

  @Test("that forgets what it has done does it again when it is asked again, and the simulation finds that")
  func forgetsClients() async throws {
    let violation = try await violation(of: .forgetsClients)
    #expect(violation.check == "executedAtMostOncePerHost")
  }

  @Test("runs the same way twice with a seed")
  func replay() async throws {
    try await withSimulations(seeds: 0..<3) { try await Cluster.run(in: $0) }
  }

  /// What the first seed finds that finds something.
  private func violation(of flaw: Replica.Flaw) async throws -> HistoryViolation {
    for seed in 0..<100 as Range<UInt64> {
      do {
        try await withSimulation(seed: seed, faults: .none) { try await Cluster.run(in: $0, flaw: flaw) }
      } catch let failure as SimulationFailure {
        print("seed \(seed): \(failure.underlying)")
        return try #require(failure.underlying as? HistoryViolation)
      }
    }
    throw NotFound()
  }

  private struct NotFound: Error {}

  @Test("answers what it cannot do with a reason")
  func nonsense() async throws {
    let replica = try Replica(others: ["b:7"])
    for (line, answer) in [
      ("", "NO DO, OFFER, PROMOTE or PING"),
      ("DO alice x GET x", "NO command: CLIENT NUMBER GET|PUT|APPEND KEY [VALUE]"),
      ("OFFER 1", "NO offer"), ("PROMOTE 1 z:7", "NO such replicas; it knows b:7"),
      ("PROMOTE x", "NO such replicas; it knows b:7"), ("DO alice 1 GET x", "NO not the primary"),
      ("PROMOTE 2", "NO it knows nothing of the epochs before"), ("PING", "OK"),
    ] {
      #expect(await replica.answer(line) == answer)
    }
    for arguments in [
      [], ["serve"], ["serve", "x"], ["promote", "x", "a:7"], ["ask", "a:7"], ["other", "7"],
    ] {
      let isUnderstood = try await KeyValue.run(arguments)
      #expect(!isUnderstood)
    }
    #expect(throws: SocketError.self) { try Replica(others: ["nowhere"]) }
  }
}
