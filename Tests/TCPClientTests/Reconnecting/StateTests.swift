import TCPServer
import TestHarness
import Testing

@testable import TCPClient

@Suite("The states of a client")
struct StateTests {
  private func word(_ state: TCPClient.State) -> String {
    switch state {
    case .idle: "idle"
    case .connecting(let attempt): "connecting \(attempt.number)"
    case .connected(let attempt): "connected \(attempt.number)"
    case .healthy(let attempt): "healthy \(attempt.number)"
    case .backingOff: "backing off"
    case .ended: "ended"
    }
  }

  @Test("come in order to everybody who listens, from the present one to the end")
  func everyState() async throws {
    let (all, late) = try await withSimulation(seed: 1) { world in
      try await world.host("server").serveLines { connection in
        try await connection.send("welcome")
        try await world.sleep(for: .seconds(1))
      }
      let client = TCPClient(
        to: "server", port: 7, configuration: ClientLog().configuration(.fixed(.seconds(9))))
      let states = client.states
      async let first = states.reduce(into: []) { $0.append(self.word($1)) }
      async let second = states.reduce(into: []) { $0.append(self.word($1)) }
      async let late = {
        try await world.sleep(for: .seconds(5))
        return await client.states.reduce(into: []) { $0.append(self.word($1)) }
      }()
      var count = 0
      try? await client.run(framing: .lines) { connection in
        count += 1
        while try await connection.next() != nil {}
        if count == 2 { throw Oops() }
      }
      let (one, two) = await (first, second)
      if one != two { throw Oops() }
      return (one, try await late)
    }
    let course = [
      "idle", "connecting 1", "connected 1", "healthy 1", "backing off", "connecting 2", "connected 2",
      "healthy 2",
      "ended",
    ]
    #expect(all == course)
    #expect(late == Array(course.dropFirst(4)))
  }

  @Test("back off until a point on the loop's clock, after the error that it is for")
  func backingOff() async throws {
    try await withSimulation(seed: 2) { world in
      let client = TCPClient(
        to: .loopback(port: 7), configuration: ClientLog().configuration(.fixed(.seconds(9), attempts: 2)))
      async let seen: Bool = {
        for await case .backingOff(let due, let error?) in client.states {
          guard case SocketError.failed(.connectionRefused, _, _) = error else { return false }
          return world.loop.now.duration(to: due) > .milliseconds(8999)
        }
        return false
      }()
      try? await client.run { _ in }
      guard await seen else { throw Oops() }
    }
  }

  @Test("of a run that is over end the sequence, at once for who comes later")
  func ended() async throws {
    let words = try await withSimulation(seed: 3) { world in
      let client = TCPClient(to: .loopback(port: 7), configuration: ClientLog().configuration(.never))
      try? await client.run { _ in }
      return await client.states.reduce(into: []) { $0.append(self.word($1)) }
    }
    #expect(words == ["ended"])
  }

  @Test("end for a listener that is cancelled")
  func cancelled() async throws {
    let client = TCPClient(to: "server", port: 7)
    let words = await withTaskGroup(of: [String].self) { group in
      group.addTask { await client.states.reduce(into: []) { $0.append(self.word($1)) } }
      group.cancelAll()
      return await group.next() ?? []
    }
    #expect(words == ["idle"])
  }

  @Test("go on with the latest for a listener that is more than 16 behind, and skip none for others")
  func coalescing() async throws {
    let board = StateBoard()
    let loop = try EventLoopGroup.shared.loops[0]
    func post(_ numbers: ClosedRange<Int>) {
      for number in numbers {
        board.post(.connecting(TCPClient.Attempt(number: number, target: .host("server", port: 7))))
      }
    }
    var (quick, slow) = (board.now, board.now)
    _ = await board.next(after: &quick, on: loop)
    _ = await board.next(after: &slow, on: loop)
    post(1...16)
    var words: [String] = []
    for _ in 1...16 { words.append(await board.next(after: &quick, on: loop).map(word) ?? "") }
    #expect(words == (1...16).map { "connecting \($0)" })
    post(17...17)
    #expect(await board.next(after: &slow, on: loop).map(word) == "connecting 17")
    #expect(await board.next(after: &quick, on: loop).map(word) == "connecting 17")
    post(18...19)
    #expect(await board.next(after: &slow, on: loop).map(word) == "connecting 18")
    #expect(await board.next(after: &slow, on: loop).map(word) == "connecting 19")
  }
}
