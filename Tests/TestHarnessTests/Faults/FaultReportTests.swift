import AsyncSockets
import TestHarness
import Testing

/// What faults and their proxy say of themselves, and of what cannot be.
@Suite struct FaultReportTests {
  @Test("a proxy of itself is refused, and that of another host on its port is not")
  func itself() async throws {
    let own: [(SocketAddress, SocketAddress)] = [
      (.loopback(port: 9), .loopback(port: 9)), (.loopback(port: 9), .any(port: 9)),
    ]
    for (upstream, address) in own {
      let error = await #expect(throws: SocketError.self) {
        try await withFaultProxy(to: upstream, on: address) { _ in }
      }
      #expect(error.map { "\($0)".contains("which is itself") } == true)
    }
    try await withSimulation(seed: 1) { world in
      let (server, proxy) = (world.host("server"), world.host("proxy"))
      try await proxy.run {
        try await withFaultProxy(to: server.address.withPort(9), on: .any(port: 9)) { _ in }
        await #expect(throws: SocketError.self) {
          try await withFaultProxy(to: proxy.address.withPort(9), on: .any(port: 9)) { _ in }
        }
      }
    }
  }

  @Test(
    "a fault says what it is",
    arguments: [
      (Fault.latency(.milliseconds(50), jitter: .milliseconds(10)), "a latency of 50 ms, give or take 10 ms"),
      (.bandwidth(bytesPerSecond: 1), "a bandwidth of 1 byte a second"), (.timeout(), "silence"),
      (.resetPeer(after: .seconds(2)), "a reset after 2.0 s"),
      (.stall(afterBytes: 3), "a stall after 3 bytes"),
      (.slicer(averageSize: 5, variation: 3), "slices of 5 bytes, give or take 3"),
      (.corrupt(share: 0.2), "20.0 % of the bytes corrupt"),
    ])
  func description(fault: Fault, text: String) {
    #expect("\(fault)" == text)
  }
}
