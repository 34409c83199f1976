import AsyncSockets

/// Finds the hosts of a simulation by name, as a resolver in a local network would, in a millisecond.
struct SimulatedResolver: Resolver {
  let network: SharedNetwork
  let loop: EventLoop

  func resolve(_ host: String, port: UInt16) async throws -> [SocketAddress] {
    try await loop.sleep(for: .milliseconds(1))
    if host == "localhost" { return [.loopback6(port: port), .loopback(port: port)] }
    let found = network.withLock { network in network.numbersOfHosts[host].map { network.hosts[$0] } }
    guard let found else {
      throw SocketError.unresolved(host: host, reason: "the simulation has no host of this name")
    }
    return [found.address6.withPort(port), found.address.withPort(port)]
  }
}
