import TCPClient
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("Many clients of one server")
struct StormTests {
  /// When each of so many clients came back after their server has died for a moment, in order.
  private func returns(of count: Int, seed: UInt64) async throws -> [Duration] {
    try await withSimulation(seed: seed) { world in
      let host = world.host("server")
      world.setDescriptorLimit(count * 2 + 100, of: host)
      let first = try await host.run { try await TCPServer.bind(on: .any(port: 7)) }
      let died = Shared<Duration?>(nil)
      let returns = Shared<[Duration]>([])
      let serve: @Sendable (Lines) async throws -> Void = { connection in
        try await connection.send("welcome")
        if let death = died.value { returns.change { $0.append(world.elapsed - death) } }
        _ = try await connection.next()
      }
      async let gone: Void = first.run(framing: .lines, serve)

      let clients = world.host("clients")
      world.setDescriptorLimit(count * 2 + 100, of: clients)
      for _ in 0..<count {
        clients.start {
          try await TCPClient(to: host.address.withPort(7)).run(framing: .lines) { connection in
            while try await connection.next() != nil {}
          }
        }
      }
      try await eventually("all are connected") { first.connectionCount == count }
      try await world.sleep(for: .seconds(5))
      died.set(world.elapsed)
      world.resetConnections(between: clients, and: host)
      first.beginDrain(deadline: .zero)
      try await gone
      let second = try await host.run { try await TCPServer.bind(on: .any(port: 7)) }
      host.start { try await second.run(framing: .lines, serve) }
      try await eventually("all are back", within: .seconds(600)) { second.connectionCount == count }
      return returns.value.sorted()
    }
  }

  private func checkDamped(_ returns: [Duration], count: Int) {
    #expect(returns.count == count)
    let window = Duration.milliseconds(100)
    let most = returns.indices.map { first in
      returns[first...].prefix { $0 < returns[first] + window }.count
    }
    #expect((most.max() ?? 0) <= count / 10)
    // Those who come first have not waited, and the last of the window have waited for all of it.
    #expect((returns.first ?? .seconds(9)) < .milliseconds(100))
    #expect((returns.last ?? .zero) > .milliseconds(1900))
  }

  @Test("lose it at once and come back spread over the first pause, a tenth at most in any 100 ms (P56)")
  func storm() async throws {
    checkDamped(try await returns(of: 200, seed: 56), count: 200)
  }

  @Test(
    "do so when there are 1,000 of them, with any seed (P56)", .thoroughOnly,
    arguments: 1...10 as ClosedRange<UInt64>)
  func greatStorm(seed: UInt64) async throws {
    checkDamped(try await returns(of: 1000, seed: seed), count: 1000)
  }
}
