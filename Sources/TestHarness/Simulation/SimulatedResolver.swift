import AsyncSockets

/// Finds the hosts of a simulation by name, as a resolver in a local network would, in a millisecond unless the world
/// has set something else.
struct SimulatedResolver: Resolver {
  let network: SharedNetwork
  let loop: EventLoop

  func resolve(_ host: String, port: UInt16) async throws -> [SocketAddress] {
    try await loop.sleep(for: network.withLock { $0.names[host]?.delay ?? SimulatedName().delay })
    switch network.withLock({ $0.answer(for: host) }) {
    case .host: break
    case .addresses(let addresses): return addresses.map { $0.withPort(port) }
    case .notFound: throw unresolved(host, "EAI_NONAME (Name or service not known)")
    case .temporaryFailure: throw unresolved(host, "EAI_AGAIN (Temporary failure in name resolution)")
    }
    if host == "localhost" { return [.loopback6(port: port), .loopback(port: port)] }
    let found = network.withLock { network in network.numbersOfHosts[host].map { network.hosts[$0] } }
    guard let found else { throw unresolved(host, "the simulation has no host of this name") }
    return [found.address6.withPort(port), found.address.withPort(port)]
  }

  private func unresolved(_ host: String, _ reason: String) -> SocketError {
    .unresolved(host: host, reason: reason)
  }
}
