import AsyncSockets

/// Names that are being looked up, few at a time, and those that were. Pure.
struct NameTable<Waiter: Equatable> {
  enum Answer {
    case known([SocketAddress])
    /// The waiter waits, and the look-up is to begin.
    case ask
    case waits
  }

  private struct LookUp {
    var waiters: [Waiter]
    var isUnderWay: Bool
  }

  let most: Int
  let capacity: Int
  let lifetime: Duration
  private var known: [String: (addresses: [SocketAddress], until: EventLoop.Instant)] = [:]
  /// In the order in which they were learnt.
  private var order = Fifo<String>()
  private var pending: [String: LookUp] = [:]
  private var queue = Fifo<String>()
  private(set) var underWay = 0

  /// - Parameters:
  ///   - most: how many look-ups at a time.
  ///   - capacity: how many names are remembered; the oldest are forgotten.
  ///   - lifetime: for how long.
  init(most: Int, capacity: Int, lifetime: Duration) {
    self.most = most
    self.capacity = capacity
    self.lifetime = lifetime
  }

  /// The addresses of a name, now or later.
  mutating func find(_ name: String, for waiter: Waiter, _ now: EventLoop.Instant) -> Answer {
    if let answer = known[name], now < answer.until { return .known(answer.addresses) }
    if pending[name] != nil {
      pending[name]?.waiters.append(waiter)
      return .waits
    }
    let begins = underWay < most
    pending[name] = LookUp(waiters: [waiter], isUnderWay: begins)
    if begins { underWay += 1 } else { queue.append(name) }
    return begins ? .ask : .waits
  }

  /// A look-up has ended; `nil` when it has failed, which is not remembered.
  ///
  /// - Returns: who waited for it, and the name to look up next.
  mutating func answered(
    _ name: String, _ addresses: [SocketAddress]?, _ now: EventLoop.Instant
  ) -> (waiters: [Waiter], next: String?) {
    guard let lookUp = pending[name], lookUp.isUnderWay else { return ([], nil) }
    pending[name] = nil
    underWay -= 1
    if let addresses {
      let answer = (addresses, now.advanced(by: lifetime))
      if known.updateValue(answer, forKey: name) == nil { order.append(name) }
      if order.count > capacity, let oldest = order.popFirst() { known[oldest] = nil }
    }
    while underWay < most, let next = queue.popFirst() {
      // Nobody may wait for it any more.
      guard pending[next]?.isUnderWay == false else { continue }
      pending[next]?.isUnderWay = true
      underWay += 1
      return (lookUp.waiters, next)
    }
    return (lookUp.waiters, nil)
  }

  /// One waits no more; whether the look-up under way is nobody's now, and to be cancelled.
  mutating func leave(_ name: String, _ waiter: Waiter) -> Bool {
    pending[name]?.waiters.removeAll { $0 == waiter }
    guard let lookUp = pending[name], lookUp.waiters.isEmpty else { return false }
    if !lookUp.isUnderWay { pending[name] = nil }
    return lookUp.isUnderWay
  }
}
