import AsyncSockets
import TestHarness

/// A client and its server, with a fault proxy between them, on three hosts between which nothing takes any time.
struct FaultedPair {
  let world: SimulatedWorld
  let proxy: FaultProxy
  /// The client's end.
  let client: Connection
  /// The server's end.
  let server: Connection
  let listener: Listener

  /// Another client, and the server's end of its connection.
  func another() async throws -> FaultedPair {
    try await FaultedPair.connect(world, proxy, listener)
  }

  fileprivate static func connect(
    _ world: SimulatedWorld, _ proxy: FaultProxy, _ listener: Listener
  ) async throws -> FaultedPair {
    async let server = listener.accept(on: world.loop)
    let client = try await world.host("client").run {
      try await Connection.connect(to: world.host("proxy").address.withPort(proxy.address.port ?? 0))
    }
    return FaultedPair(
      world: world, proxy: proxy, client: client, server: try await server, listener: listener)
  }

  func abort() {
    client.abort()
    server.abort()
  }

  /// How long something takes.
  func time(_ body: () async throws -> Void) async throws -> Duration {
    let begin = world.elapsed
    try await body()
    return time(since: begin)
  }

  /// To the microsecond: where nothing takes any time, a simulated packet takes a nanosecond.
  func time(since begin: Duration) -> Duration {
    .microseconds(Int64((world.elapsed - begin) / .microseconds(1)))
  }
}

/// Runs a simulation with a client, a proxy that has the fault, if any, and a server.
func withFaultedPair<Value: Sendable>(
  _ fault: Fault? = nil, _ direction: FaultProxy.Direction = .downstream, seed: UInt64 = 0,
  faults: SystemCallFaults = .none,
  _ body: @escaping @Sendable (FaultedPair) async throws -> Value
) async throws -> Value {
  try await withSimulation(seed: 1, faults: faults) { world in
    try world.setConditions(LinkConditions(latency: .zero, jitter: .zero))
    let server = world.host("server")
    let listener = try await server.run { try Listener.bind(to: .any(port: 7), on: world.loop) }
    defer { listener.close() }
    return try await world.host("proxy").run {
      try await withFaultProxy(to: server.address.withPort(7), on: .any(), seed: seed) { proxy in
        if let fault { try proxy.add(fault, direction: direction) }
        let pair = try await FaultedPair.connect(world, proxy, listener)
        defer { pair.abort() }
        return try await body(pair)
      }
    }
  }
}
