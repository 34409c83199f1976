import AsyncSockets
import Glibc
import TestHarness
import Testing

@Suite("verifyListener passes", .timeLimit(.minutes(4)))
struct ListenerContractTests {
  @Test("a listener over TCP and Unix sockets", arguments: Network.allCases)
  func sockets(_ network: Network) async throws {
    try await verifyListener { loop in try Listener.bind(to: network.freeAddress, on: loop) }
  }

  @Test("a listener over an abstract Unix socket")
  func abstract() async throws {
    let names = Count()
    try await verifyListener { loop in
      try Listener.bind(to: .unix(abstract: "asyncsockets-\(getpid())-\(names.increase())"), on: loop)
    }
  }
}
