import AsyncSockets

/// How many connections each peer has. Pure. Whoever has none is not kept.
struct PeerCounts {
  private var counts: [UInt64: Int] = [:]

  /// How many peers are connected.
  var count: Int { counts.count }

  init(of peers: some Sequence<SocketAddress?> = []) {
    for peer in peers { enter(peer) }
  }

  /// Whether that peer may have one more; one without an IP address always may.
  func mayEnter(_ peer: SocketAddress?, limit: Int) -> Bool {
    guard let site = peer?.site else { return true }
    return counts[site, default: 0] < limit
  }

  mutating func enter(_ peer: SocketAddress?) {
    if let site = peer?.site { counts[site, default: 0] += 1 }
  }

  mutating func leave(_ peer: SocketAddress?) {
    guard let site = peer?.site, let index = counts.index(forKey: site) else { return }
    if counts.values[index] > 1 {
      counts.values[index] -= 1
    } else {
      counts.remove(at: index)
    }
  }
}
