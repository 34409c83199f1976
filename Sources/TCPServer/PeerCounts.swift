import AsyncSockets

/// How many connections each peer has. Pure.
///
/// They are counted while no limit is set, too, so that one that is set later is exact. Whoever has none is not kept.
struct PeerCounts {
  private var counts: [SocketAddress: Int] = [:]

  /// How many peers are connected.
  var count: Int { counts.count }

  /// Whether that peer may have one more; one without an IP address always may.
  mutating func enter(_ peer: SocketAddress?, limit: Int?) -> Bool {
    guard let key = peer?.accountable else { return true }
    let count = counts[key, default: 0]
    if let limit, count >= limit { return false }
    counts[key] = count + 1
    return true
  }

  /// One that was let in has left.
  mutating func leave(_ peer: SocketAddress?) {
    guard let key = peer?.accountable, let count = counts[key] else { return }
    counts[key] = count > 1 ? count - 1 : nil
  }
}
