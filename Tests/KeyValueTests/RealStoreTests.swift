import TCPServer
import Testing

@testable import keyvalue

@Suite("A replicated store on a real network") struct RealStoreTests {
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
      #expect(try await StoreClient.promote(names[0], epoch: 1, backups: [names[1]]) == "OK")
      var client = try StoreClient("alice", replicas: names.reversed())
      #expect(try await client.ask("APPEND x 1") == "1")
      #expect(try await StoreClient.promote(names[1], epoch: 2, backups: []) == "OK")
      #expect(try await client.ask("APPEND x 2") == "12")
      group.cancelAll()
      do { try await group.waitForAll() } catch is CancellationError {}
    }
  }
}
