import TCPServer
import Testing

@testable import keyvalue

@Suite("A replicated store on a real network", .timeLimit(.minutes(4))) struct RealStoreTests {
  @Test("replicates, answers, and goes on with its backup")
  func realNetwork() async throws {
    let servers = [
      try await TCPServer.bind(on: .loopback()), try await TCPServer.bind(on: .loopback()),
    ]
    let names = servers.map { "127.0.0.1:\($0.address.port ?? 0)" }
    try await withThrowingTaskGroup { group in
      for (server, other) in zip(servers, names.reversed()) {
        group.addTask { try await Replica(others: [other]).run(server) }
      }
      try await promote(names[0], epoch: 1, backups: [names[1]])
      var client = try StoreClient("alice", replicas: names.reversed())
      #expect(try await client.ask("APPEND x 1") == "1")
      try await promote(names[1], epoch: 2, backups: [])
      #expect(try await client.ask("APPEND x 2") == "12")
      group.cancelAll()
      do { try await group.waitForAll() } catch is CancellationError {}
    }
  }

  /// As an operator does, who asks again when there was no answer: a busy machine may be too slow for one.
  private func promote(_ name: String, epoch: Int, backups: [String]) async throws {
    while true {
      do {
        if try await StoreClient.promote(name, epoch: epoch, backups: backups) == "OK" { return }
      } catch is SocketError {}
    }
  }
}
