import TCPServer
import Testing

@testable import keyvalue

@Suite("A replicated store on a real network", .timeLimit(.minutes(4))) struct RealStoreTests {
  @Test("answers when one of its replicas is away, and when that is back")
  func realNetwork() async throws {
    var servers = [try await TCPServer.bind(on: .loopback()), try await TCPServer.bind(on: .loopback())]
    let away = try await TCPServer.bind(on: .loopback())
    servers.append(away)
    await away.drain()
    let client = StoreClient("alice", replicas: servers.map { ("127.0.0.1", $0.address.port ?? 0) })
    try await withThrowingTaskGroup { group in
      for server in servers.dropLast() {
        group.addTask { try await Replica(on: SimulatedDisk()).run(server) }
      }
      group.addTask { try await client.run() }
      #expect(try await client.get("x") == "")
      try await client.put("an apple", for: "x")
      #expect(try await client.get("x") == "an apple")
      group.cancelAll()
      do { try await group.waitForAll() } catch is CancellationError {}
    }
  }

  @Test("has a program that says so when it is not understood")
  func program() async throws {
    for arguments in [
      [], ["serve"], ["serve", "x", "file"], ["get", "x", "a"], ["put", "x", "y", "a:b"],
      ["put", "x y", "z", "a:7"],
      ["other", "x", "y"],
    ] {
      let isUnderstood = try await KeyValue.run(arguments)
      #expect(!isUnderstood)
    }
  }
}
