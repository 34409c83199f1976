import Glibc
import Peers
import TestHarness
import TestSupport
import Testing

@testable import AsyncSockets

@Suite("Listening on several addresses", .timeLimit(.minutes(4)))
struct SharedPortTests {
  @Test("gives those with port 0 one random port, of loopback alone (scenario G25)")
  func dualStack() async throws {
    try await withLoop { loop in
      let listeners = try Listener.bind(to: [.loopback(), .loopback6()], on: loop)
      let port = try #require(listeners[0].address.port)
      #expect(port != 0)
      #expect(listeners.map(\.address) == [.loopback(port: port), .loopback6(port: port)])
      for listener in listeners {
        let (peer, connection) = try await Door(listener: listener, loop: loop).pair()
        connection.abort()
        peer.close()
      }
      for listener in listeners { listener.close() }
    }
  }

  @Test("keeps the order, fixed ports and Unix sockets as they are, and the same address twice apart")
  func mixture() async throws {
    try await withLoop { loop in
      let reserved = try ReservedPort(host: "127.0.0.3").number
      let fixed = try SocketAddress(host: "127.0.0.2", port: reserved)
      let path = Network.unix.freeAddress
      let listeners = try Listener.bind(
        to: [fixed, .loopback(), path, .loopback6(), .loopback()], on: loop)
      let ports = listeners.map { $0.address.port ?? 0 }
      #expect(listeners[0].address == fixed)
      #expect(listeners[2].address == path)
      #expect(ports[1] == ports[3])
      #expect(ports[4] != ports[1])
      for listener in listeners { listener.close() }
    }
  }

  @Test("tries another port when the first is in use for the second address", arguments: [1, 12])
  func retries(failures: Int) async throws {
    let kernel = CrowdedKernel(failures: failures)
    try await withLoop(kernel: kernel) { loop in
      let listeners = try Listener.bind(to: [.loopback(), .loopback6()], on: loop)
      #expect(listeners[0].address.port == listeners[1].address.port)
      // More, if another program has taken the port in truth.
      #expect(kernel.binds > failures)
      for listener in listeners { listener.close() }
    }
  }

  @Test("gives up after 16 ports, and holds none of the addresses (P06)")
  func givesUp() async throws {
    let kernel = CrowdedKernel(failures: .max)
    try await withLoop(kernel: kernel) { loop in
      let error = #expect(throws: SocketError.self) {
        try Listener.bind(to: [.loopback(), .loopback6()], on: loop) as [Listener]
      }
      #expect(error?.description.contains("bind [::1]:") == true)
      #expect(error?.description.contains("EADDRINUSE") == true)
      #expect(kernel.binds == 16)
    }
  }

  @Test("does not look for another port when the address itself cannot be had")
  func otherErrors() async throws {
    try await withLoop { loop in
      let foreign = try SocketAddress("192.0.2.1:0")
      let error = #expect(throws: SocketError.self) {
        try Listener.bind(to: [.loopback(), foreign], on: loop) as [Listener]
      }
      guard case .failed(.addressNotAvailable, "bind", _) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }
}

/// A kernel in which ports are in use for IPv6 so many times.
private final class CrowdedKernel: Kernel {
  private let state = Lock((binds: 0, failures: 0))

  init(failures: Int) { state.withLock { $0.failures = failures } }

  /// How many times an IPv6 address was bound, or tried.
  var binds: Int { state.withLock { $0.binds } }

  func bind(_ descriptor: Int32, to address: SocketAddress) -> Int {
    if address.family == AF_INET6 {
      let isInUse = state.withLock { state in
        state.binds += 1
        return state.binds <= state.failures
      }
      if isInUse { return -Int(EADDRINUSE) }
    }
    return LinuxKernel.shared.bind(descriptor, to: address)
  }
}
