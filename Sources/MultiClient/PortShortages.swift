import AsyncSockets

/// Destinations for which the system has no local port left, or to which no address of this machine leads: it is the same
/// error (EADDRNOTAVAIL of connect(2)). Their hosts pause, and all others go on. Pure.
struct PortShortages {
  /// How long a host pauses, unless a connection to it ends before.
  static var pause: Duration { .milliseconds(100) }
  /// Of how many destinations it is known that there was a port for them; the oldest are forgotten.
  private static var mostReached: Int { 4096 }
  /// How many others are waited for.
  static var mostHoped: Int { 256 }

  private var reached: Set<SocketAddress> = []
  /// In the order in which they were reached first.
  private var order = Fifo<SocketAddress>()
  /// Those for which there never was a port, and since when that is so.
  private var hoped: [SocketAddress: EventLoop.Instant] = [:]
  /// Those that are waited for.
  private var short: Set<SocketAddress> = []
  private var pausedHosts: Set<String> = []
  /// The same, and until when: in that order.
  private var pauses = Fifo<(host: String, until: EventLoop.Instant)>()

  /// Whether somebody waits for a port.
  var isShort: Bool { !short.isEmpty }

  /// Whether hosts pause.
  var hasPaused: Bool { !pausedHosts.isEmpty }

  /// There is a port for a destination; whether that was waited for.
  mutating func supply(_ address: SocketAddress) -> Bool {
    if reached.insert(address).inserted {
      hoped[address] = nil
      order.append(address)
      if order.count > Self.mostReached, let oldest = order.popFirst() { reached.remove(oldest) }
    }
    return short.remove(address) != nil
  }

  /// There is none. Where there was one before, there will be one again; elsewhere it is waited for so long.
  ///
  /// - Returns: whether to wait.
  mutating func isWorthWaiting(
    for address: SocketAddress, _ now: EventLoop.Instant, patience: Duration
  ) -> Bool {
    if !reached.contains(address) {
      if hoped[address] == nil, hoped.count < Self.mostHoped { hoped[address] = now }
      guard let since = hoped[address], since.duration(to: now) < patience else {
        short.remove(address)
        return false
      }
    }
    short.insert(address)
    return true
  }

  // MARK: Hosts

  mutating func pause(_ host: String, _ now: EventLoop.Instant) {
    guard pausedHosts.insert(host).inserted else { return }
    pauses.append((host, now.advanced(by: Self.pause)))
  }

  func isPaused(_ host: String) -> Bool { pausedHosts.contains(host) }

  /// A connection to it has ended.
  mutating func resume(_ host: @autoclosure () -> String) {
    if hasPaused { pausedHosts.remove(host()) }
  }

  /// The next whose pause is over; `nil` when there is none yet.
  mutating func popDue(_ now: EventLoop.Instant) -> String? {
    while let next = pauses.first, next.until <= now || !isPaused(next.host) {
      _ = pauses.popFirst()
      if pausedHosts.remove(next.host) != nil { return next.host }
    }
    return nil
  }

  /// When the next pause is over.
  var nextDue: EventLoop.Instant? { pauses.first?.until }

  /// Nobody waits any more.
  mutating func forget() {
    (hoped, short, pausedHosts) = ([:], [], [])
    pauses = Fifo()
  }
}
