/// When to try which of a host's addresses: Happy Eyeballs version 2 (RFC 8305), sections 4 and 5.
///
/// The first address is tried at once, each other one when the attempt before it has failed or has taken the attempt
/// delay. All go on until one has connected. Pure: it is told the time and what became of the attempts.
struct HappyEyeballs {
  enum Action: Equatable {
    /// Try this address, which counts as pending from here on.
    case attempt(Int)
    /// Nothing to do before an attempt ends, or before the time given.
    case wait(until: EventLoop.Instant?)
    /// Done: this one has connected, and the others are to be closed.
    case connected(Int)
    /// Every attempt has failed.
    case exhausted
  }

  private let count: Int
  private let attemptDelay: Duration
  private var begun = 0
  private var pending: Set<Int> = []
  /// When the next attempt begins; `nil` for at once.
  private var nextDue: EventLoop.Instant?
  /// The first that has connected.
  private(set) var winner: Int?

  /// A race among so many addresses, in their order.
  init(count: Int, attemptDelay: Duration) {
    self.count = count
    self.attemptDelay = attemptDelay
  }

  /// What to do now; to be asked again after each attempt begun, each event and each wait.
  mutating func next(at now: EventLoop.Instant) -> Action {
    if let winner { return .connected(winner) }
    guard begun < count else { return pending.isEmpty ? .exhausted : .wait(until: nil) }
    if let nextDue, nextDue > now { return .wait(until: nextDue) }
    defer { begun += 1 }
    pending.insert(begun)
    nextDue = now.advanced(by: attemptDelay)
    return .attempt(begun)
  }

  mutating func attemptFailed(_ index: Int) {
    guard pending.remove(index) != nil else { return }
    // An older one says nothing of the latest, which has its time.
    if index == begun - 1 || pending.isEmpty { nextDue = nil }
  }

  /// The first to connect wins.
  mutating func attemptConnected(_ index: Int) {
    guard pending.remove(index) != nil, winner == nil else { return }
    winner = index
  }

  /// The order in which addresses are tried: `firstFamilyCount` of the family that the resolver prefers, then the
  /// families in turn, each in the resolver's order.
  static func order(_ addresses: [SocketAddress], firstFamilyCount: Int) -> [SocketAddress] {
    guard let preferred = addresses.first?.family else { return [] }
    var first = addresses.filter { $0.family == preferred }[...]
    var second = addresses.filter { $0.family != preferred }[...]
    var ordered = Array(first.prefix(firstFamilyCount))
    first = first.dropFirst(firstFamilyCount)
    while !first.isEmpty || !second.isEmpty {
      ordered += second.prefix(1) + first.prefix(1)
      second = second.dropFirst()
      first = first.dropFirst()
    }
    return ordered
  }
}
