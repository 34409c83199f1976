import AsyncSockets
import TestHarness
import Testing

@Suite("Over sockets, verifyStream passes", .timeLimit(.minutes(4)))
struct StreamContractTests {
  @Test("over TCP and Unix sockets", arguments: Network.allCases)
  func sockets(_ network: Network) async throws {
    try await verify(network, network == .ipv4 ? .everything : .secondEnd) { _, _ in }
  }

  @Test("over a record transport that a connection begins with", arguments: Network.tried)
  func records(_ network: Network) async throws {
    try await verify(network, .firstEnd) { client, server in
      for end in [client, server] { try await end.upgrade { RecordTransport(over: $0) } }
      try await shakeHands(client, server)
    }
  }

  @Test("over a record transport that a connection goes on with", arguments: Network.tried)
  func startTLS(_ network: Network) async throws {
    try await verify(network, .secondEnd) { client, server in
      try await client.send("STARTTLS\n")
      _ = try await server.read(until: [10])
      try await server.send("go ahead\n")
      try await server.upgrade { RecordTransport(over: $0) }
      _ = try await client.read(until: [10])
      try await client.upgrade { RecordTransport(over: $0) }
      try await shakeHands(client, server)
    }
  }

  @Test("over sockets below a faulty transport", arguments: Network.tried)
  func faults(_ network: Network) async throws {
    try await verify(network, network == .ipv6 ? .secondEnd : .firstEnd) { client, server in
      try await client.upgrade { FaultyTransport(over: $0, TransportFaults(seed: 1)) }
      try await server.upgrade { FaultyTransport(over: $0, TransportFaults(seed: 2)) }
    }
  }

  @Test("over records above a faulty transport in memory", arguments: 0..<rounds(5, slow: 200))
  func recordsWithFaults(_ seed: Int) async throws {
    var options = ConnectionOptions()
    options.watermarks = try marks
    try await verifier(seed % 2 == 0 ? .firstEnd : .secondEnd).verify { [options] loop in
      let (client, server) = try MemoryTransport.connectedPair(
        on: loop, capacity: 1000, faults: TransportFaults(seed: UInt64(seed)), options: options)
      for end in [client, server] { try await end.upgrade { RecordTransport(over: $0) } }
      try await shakeHands(client, server)
      return (client, server)
    }
  }

  /// Low, so that a debug build has less to move.
  private var marks: Watermarks { get throws { try Watermarks(high: 2000, low: 1000) } }

  /// In the default run, not every transport is verified from both ends, on the loop and off it.
  private enum Extent { case everything, firstEnd, secondEnd }

  private func verifier(_ extent: Extent) throws -> StreamVerifier {
    var verifier = StreamVerifier()
    verifier.setup.watermarks = try marks
    verifier.setup.bulk = 8000
    if extent != .everything, rounds(1, slow: 2) == 1 {
      verifier.ends = [extent == .secondEnd]
      verifier.places = [extent == .firstEnd]
    }
    return verifier
  }

  /// Verifies two connections of ours, with small buffers below them.
  private func verify(
    _ network: Network, _ extent: Extent,
    _ prepare: @escaping @Sendable (_ client: Connection, _ server: Connection) async throws -> Void
  ) async throws {
    var options = ConnectionOptions()
    options.watermarks = try marks
    options.socketOptions = [.sendBuffer(4096), .receiveBuffer(4096)]
    var verifier = try verifier(extent)
    if network == .unix { verifier.setup.capabilities = .halfClose }
    try await verifier.verify { [options] loop in
      let listener = try Listener.bind(
        to: network.freeAddress, on: loop, socketOptions: options.socketOptions)
      defer { listener.close() }
      var connector = Connector(environment: Environment(loops: try EventLoopGroup([loop])))
      connector.options = options
      let client = try await connector.connect(to: listener.address)
      let server = try await listener.accept(on: loop, options: options)
      try await prepare(client, server)
      return (client, server)
    }
  }
}

/// A handshake happens with the first bytes, and each side has to read for it.
private func shakeHands(_ client: Connection, _ server: Connection) async throws {
  async let heard = server.read(exactly: 1)
  try await client.send([1])
  _ = try await heard
  try await server.send([2])
  _ = try await client.read(exactly: 1)
}
