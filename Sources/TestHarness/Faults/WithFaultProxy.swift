public import AsyncSockets

/// Runs a test with a proxy in front of a TCP server, anybody's, that can make the network between it and its clients
/// as bad as the test likes.
///
/// ```swift
/// try await withFaultProxy(to: server.address) { proxy in
///   let client = try await Connection.connect(to: proxy.address)
///   let slow = try proxy.add(.latency(.milliseconds(50), jitter: .milliseconds(10)))
///   …
///   slow.remove()
/// }
/// ```
///
/// Without faults it is a faithful proxy: ends and resets of either side are passed on, after the bytes before them,
/// and a side that takes nothing makes the other wait. It holds 64 KiB at most for each direction of a connection and 64
/// KiB for each fault of it, 1 MiB for a latency, and one read of 16 KiB more; twice that when faults have been removed.
///
/// Time is that of the event loop, so it works under a `ManualClock`, and inside `withSimulation`, where it is one of the
/// hosts: `world.host("proxy").run { try await withFaultProxy(to: …, on: .any()) { … } }`. It works on the event loops
/// of the task's `Environment`; without, on a loop of its own, which must hold nothing in the end.
///
/// - Parameters:
///   - upstream: the server. A client for whom it cannot be reached within 10 s is reset.
///   - address: where the proxy listens; by default 127.0.0.1, on a port that the system chooses.
///   - seed: what random choices of faults follow from: with the same seed, the same faults added in the same order do
///     the same to the same bytes of the n-th connection.
///   - body: the test. When it ends, the connections that are left are reset.
/// - Returns: what the body returns.
/// - Throws: what the body throws; `SocketError` when the proxy cannot listen, or when the server
///   behind it would be itself; ``ResourcesLeaked``.
public func withFaultProxy<Result>(
  to upstream: SocketAddress, on address: SocketAddress = .loopback(), seed: UInt64 = 0,
  _ body: (FaultProxy) async throws -> Result
) async throws -> Result {
  try await withLoopsOfItsOwn { environment in
    let proxy = try FaultProxy(to: upstream, on: address, seed: seed, environment: environment)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask(executorPreference: proxy.executor) { await proxy.run() }
      do {
        let result = try await body(proxy)
        await proxy.end(&group)
        return result
      } catch {
        await proxy.end(&group)
        throw error
      }
    }
  }
}

extension FaultProxy {
  fileprivate func end(_ group: inout ThrowingTaskGroup<Void, any Error>) async {
    group.cancelAll()
    try? await group.waitForAll()
    close()
  }
}
