import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

@Suite("Races: requests that come and go", .timeLimit(.minutes(10)))
struct RacesRequestsTests {
  @Test("whoever is not cancelled gets its own reply, whoever else is", arguments: Route.executors)
  func cancellations(_ route: Route) async throws {
    let count = rounds(400, slow: 40_000)
    try await withLink(route) { link in
      let requests = try link.connection.framed(LineFraming()).requests(id: { Int($0) })
      async let echoed: Void = onThread {
        while case let some = try link.peer.receive(atMost: 65_536), !some.isEmpty {
          try link.peer.send(some)
        }
      }
      let answered = Count()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for worker in 0..<8 {
          group.addTask {
            for number in 0..<(count / 8) {
              let id = "\(number * 8 + worker)"
              // Every third is cancelled now or soon.
              let error = await withTaskGroup(of: (any Error)?.self) { pair in
                pair.addTask {
                  await failure {
                    let reply = try await requests.request(id)
                    #expect(reply == id)
                    answered.increase()
                  }
                }
                if number % 3 == worker % 3 { pair.cancelAll() }
                return await pair.next() ?? nil
              }
              #expect(error == nil || error is CancellationError)
            }
          }
        }
        try await group.waitForAll()
      }
      #expect(answered.value >= count / 2)
      #expect(try await requests.request("1000000") == "1000000")
      try await link.connection.finishWriting()
      try await echoed
    }
  }
}
