/// Those who wait to begin, in their order, but for those whose host has as many as it may: others go before them. Pure.
struct TargetQueue<Item> {
  /// How many are kept for the sake of others behind them.
  static var lookahead: Int { 1024 }

  private var queue = Fifo<Item>()
  /// By their hosts.
  private var parked: [String: Fifo<Item>] = [:]
  private var parkedCount = 0
  /// Those whose hosts have room again.
  private var released = Fifo<Item>()
  /// How many have ended since they were last removed.
  private var ended = 0

  var count: Int { queue.count + parkedCount + released.count }

  /// Whether there is nobody more who could begin: the next is to be fetched.
  var isHungry: Bool { queue.isEmpty && released.isEmpty && parkedCount < Self.lookahead }

  mutating func append(_ item: Item) { queue.append(item) }

  /// For one that had begun, and could not: it is the next, however many are kept.
  mutating func putBack(_ item: Item) { released.prepend(item) }

  /// The next who may begin.
  ///
  /// - Parameter blockedHost: where it goes, if that host has as many as it may.
  mutating func next(_ blockedHost: (Item) -> String?) -> Item? {
    var blocked: [(item: Item, host: String)] = []
    defer { for (item, host) in blocked.reversed() { park(item, host, first: true) } }
    while let item = released.popFirst() {
      guard let host = blockedHost(item) else { return item }
      blocked.append((item, host))
    }
    while parkedCount < Self.lookahead, let item = queue.popFirst() {
      guard let host = blockedHost(item) else { return item }
      park(item, host, first: false)
    }
    return nil
  }

  /// For one that had begun, and could not, since its host is blocked.
  mutating func park(_ item: Item, _ host: String) { park(item, host, first: true) }

  private mutating func park(_ item: Item, _ host: String, first: Bool) {
    parkedCount += 1
    if first {
      parked[host, default: Fifo()].prepend(item)
    } else {
      parked[host, default: Fifo()].append(item)
    }
  }

  /// A host has room for one more.
  mutating func release(_ host: @autoclosure () -> String) {
    if parkedCount == 0 { return }
    let host = host()
    guard let item = parked[host]?.popFirst() else { return }
    if parked[host]?.isEmpty == true { parked[host] = nil }
    parkedCount -= 1
    released.append(item)
  }

  /// A host has room for all who wait for it.
  mutating func releaseAll(_ host: String) {
    for item in parked[host]?.removeAll() ?? [] {
      parkedCount -= 1
      released.append(item)
    }
    parked[host] = nil
  }

  /// One of them has ended where it waits. They leave as soon as they are an eighth of all, so that they neither take the
  /// room of others nor grow without bound.
  ///
  /// - Parameter endedHost: the host of one that has ended.
  mutating func noteEnd(_ endedHost: (Item) -> String?) {
    ended += 1
    guard ended >= 32, ended * 8 >= count else { return }
    ended = 0
    queue.removeAll { endedHost($0) != nil }
    for host in parked.keys {
      parkedCount -= parked[host]?.count ?? 0
      parked[host]?.removeAll { endedHost($0) != nil }
      parkedCount += parked[host]?.count ?? 0
    }
    parked = parked.filter { !$1.isEmpty }
    let hosts = released.removeAll { endedHost($0) != nil }.compactMap(endedHost)
    // They must not use up their hosts' turns.
    for host in hosts { release(host) }
  }

  /// The limits have changed: all look again.
  mutating func releaseAll() {
    for host in parked.keys.sorted() {
      for item in parked[host]?.removeAll() ?? [] { released.append(item) }
    }
    parked = [:]
    parkedCount = 0
  }

  mutating func removeAll() -> [Item] {
    releaseAll()
    return released.removeAll() + queue.removeAll()
  }
}
