import AsyncSockets

/// From which local addresses to connect, each of which has a range of ports of its own for a destination. Pure.
struct SourceRotation {
  /// As many as anybody needs: seven million ports.
  private static let mostLoopbacks = 250

  private let configured: [SocketAddress]
  private let usesLoopback: Bool
  /// How many ports an address has for one destination.
  private let ports: Int
  private var turn = 0
  /// How many addresses of 127/8 are in use.
  private(set) var loopbacks = 1

  /// - Parameters:
  ///   - configured: the user's, with port 0.
  ///   - usesLoopback: whether targets of 127/8 are connected to from several addresses of it, when one is not enough.
  ///   - ports: `nil` when nobody knows.
  init(_ configured: [SocketAddress], usesLoopback: Bool, ports: Int?) {
    self.configured = configured
    self.usesLoopback = usesLoopback
    self.ports = ports ?? 28_232
  }

  /// As many connections may be open to one address at once. A tenth is left to others and to those just closed.
  mutating func expect(_ window: Int) {
    guard usesLoopback else { return }
    let each = max(1, ports * 9 / 10)
    loopbacks = max(loopbacks, min(Self.mostLoopbacks, (window + each - 1) / each))
  }

  /// How many connections one destination can have from here: what is known ahead.
  func capacity(for target: SocketAddress) -> Int { ports * count(for: target) }

  /// Where to connect from; `nil` for the system's choice.
  mutating func next(for target: SocketAddress) -> SocketAddress? {
    let own = configured.filter { $0.family == target.family }
    if !own.isEmpty {
      turn = (turn + 1) % (own.count * Self.mostLoopbacks)
      return own[turn % own.count]
    }
    guard hasLoopbacks(target), loopbacks > 1 else { return nil }
    turn = (turn + 1) % Self.mostLoopbacks
    return try? SocketAddress(ipBytes: [127, 0, 0, UInt8(turn % loopbacks + 1)], port: 0)
  }

  /// How many there are to be tried for a target.
  func count(for target: SocketAddress) -> Int {
    let own = configured.count { $0.family == target.family }
    return own > 0 ? own : hasLoopbacks(target) ? loopbacks : 1
  }

  /// All of them have no port left: whether there is one more now.
  mutating func grow(for target: SocketAddress) -> Bool {
    guard !configured.contains(where: { $0.family == target.family }), hasLoopbacks(target),
      loopbacks < Self.mostLoopbacks
    else { return false }
    loopbacks += 1
    return true
  }

  private func hasLoopbacks(_ target: SocketAddress) -> Bool {
    usesLoopback && target.isLoopback && target.ipBytes?.count == 4
  }
}
