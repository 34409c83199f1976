import Glibc
import Peers
import TestHarness
import Testing

@testable import AsyncSockets

@Suite("A kernel that is short of memory", .timeLimit(.minutes(4)))
struct KernelShortageTests {
  @Test("fails the one connection whose read it refuses, and no other (P68)", arguments: Route.allCases)
  func reads(_ route: Route) async throws {
    let kernel = CountingKernel(receives: [ENOMEM])
    try await withTwoLinks(route, kernel: kernel) { hit, other in
      try hit.peer.send("lost")
      let error = await socketError { try await hit.connection.read() }
      #expect(error?.isShortage("ENOMEM", call: "recv") == true)
      for _ in 0..<3 { #expect(await socketError { try await hit.connection.read() } == error) }
      #expect(await socketError { try await hit.connection.send("x") } == error)
      #expect(hit.connection.closeReason == .failed(Errno(ENOMEM), call: "recv"))
      try await expectAlive(other)
    }
  }

  @Test("fails the one connection whose send it refuses, and no other (P68)", arguments: Route.allCases)
  func sends(_ route: Route) async throws {
    let kernel = CountingKernel()
    try await withTwoLinks(route, kernel: kernel) { hit, other in
      kernel.failSends(with: [ENOBUFS])
      let error = await socketError {
        try await hit.connection.send("lost")
        try await hit.connection.flush()
      }
      #expect(error?.isShortage("ENOBUFS", call: "send") == true)
      for _ in 0..<3 { #expect(await socketError { try await hit.connection.flush() } == error) }
      try await expectAlive(other)
    }
  }

  private func expectAlive(_ link: Link) async throws {
    try link.peer.send("ping")
    #expect(try await link.connection.receive(exactly: 4) == bytes("ping"))
    try await link.connection.send("pong")
    #expect(try await onThread { try link.peer.receive(exactly: 4) } == bytes("pong"))
    #expect(link.connection.closeReason == nil)
  }

  private func withTwoLinks(
    _ route: Route, kernel: CountingKernel, _ body: @escaping @Sendable (Link, Link) async throws -> Void
  ) async throws {
    try await withLoop(clock: ManualClock(), kernel: kernel) { loop in
      let source = try ConnectionSource(route.network, on: loop)
      defer { source.close() }
      let (hit, other) = (try await source.next(), try await source.next())
      defer {
        hit.connection.abort()
        other.connection.abort()
      }
      try await run(route, on: loop) { try await body(hit, other) }
    }
  }
}

extension SocketError {
  fileprivate func isShortage(_ name: String, call: String) -> Bool {
    guard case .failed(let errno, let failed, _) = self else { return false }
    return errno.name == name && failed == call
  }
}
