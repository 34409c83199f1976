import TestHarness
import Testing

@testable import AsyncSockets

@Suite("Races of connecting", .timeLimit(.minutes(4)))
struct RacesConnectingTests {
  @Test(
    "a connect gives a connection or the cancellation, and leaves nothing else, when both come at once (P39)")
  func cancellationRace() async throws {
    let rounds = rounds(400, slow: 100_000)
    try await withAuditedLoops(count: 2, clock: ManualClock()) { group in
      let listener = try Listener.bind(to: .loopback(), on: group.loops[0])
      defer { listener.close() }
      let connector = Connector()
      var connected = 0
      for round in 0..<rounds {
        let connection = Task(executorPreference: group.loops[round % 2].executor) {
          [address = listener.address] in
          try await connector.connect(to: address)
        }
        // Cancelled sooner in some rounds than in others, so that all orders occur.
        for _ in 0..<round % 7 { await group.loops[round % 2].nextTurn() }
        connection.cancel()
        switch await connection.result {
        case .success(let connection):
          connected += 1
          connection.abort()
        case .failure(let error): #expect(error is CancellationError)
        }
        while case .connection(let accepted) = try listener.acceptNow(
          on: group.loops[0], options: ConnectionOptions())
        {
          accepted.abort()
        }
      }
      #expect(connected > rounds / 100 && connected < rounds)
    }
  }

  @Test("a look-up gives an answer or the cancellation when both come at once (P39)")
  func lookup() async throws {
    let resolver = SystemResolver { _ in .success([.loopback()]) }
    var answered = 0
    let count = rounds(500, slow: 100_000)
    for round in 0..<count {
      let task = Task { try await resolver.resolve("host", port: 1) }
      for _ in 0..<round % 5 { await Task.yield() }
      task.cancel()
      if case .success(let addresses) = await task.result {
        answered += 1
        #expect(addresses == [.loopback(port: 1)])
      }
    }
    try await eventually("its threads have ended") { resolver.threadCount == 0 && resolver.waitingCount == 0 }
  }
}
