import AsyncSockets

/// How many connections each peer has. Pure.
///
/// They are counted while no limit is set, too, so that one that is set later is exact. Whoever has none is not kept.
struct PeerCounts {
  private var counts: [UInt64: Int] = [:]

  /// How many peers are connected.
  var count: Int { counts.count }

  /// Whether that peer may have one more; one without an IP address always may.
  mutating func enter(_ peer: SocketAddress?, limit: Int?) -> Bool {
    guard let site = peer?.site else { return true }
    if let limit, counts[site, default: 0] >= limit { return false }
    counts[site, default: 0] += 1
    return true
  }

  /// One that was let in has left.
  mutating func leave(_ peer: SocketAddress?) {
    guard let site = peer?.site, let index = counts.index(forKey: site) else { return }
    if counts.values[index] > 1 {
      counts.values[index] -= 1
    } else {
      counts.remove(at: index)
    }
  }
}
