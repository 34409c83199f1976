import Testing

@testable import AsyncSockets

@Suite("Happy Eyeballs")
struct HappyEyeballsTests {
  private enum Event: Equatable {
    /// So many steps of half an attempt delay.
    case time(Int)
    case fail(Int)
    case connect(Int)
  }

  /// The machine with what a spectator has seen of it.
  private struct Race {
    static let delay = Duration.milliseconds(250)
    static let count = 3

    var machine = HappyEyeballs(count: count, attemptDelay: delay)
    var now = EventLoop.Instant(nanoseconds: 0)
    var begun: [EventLoop.Instant] = []
    var failed: Set<Int> = []
    var connected: [Int] = []

    var pending: Set<Int> { Set(begun.indices).subtracting(failed).subtracting(connected) }

    /// Applies an event, lets the machine do all it wants, and answers what is wrong with that.
    mutating func apply(_ event: Event) -> String? {
      var latestHasFailed = begun.isEmpty
      switch event {
      case .time(let steps): now = now.advanced(by: Self.delay / 2 * steps)
      case .fail(let index):
        // Whatever is told of what is not under way must not matter.
        if pending.contains(index) {
          failed.insert(index)
          latestHasFailed = index == begun.count - 1
        }
        machine.attemptFailed(index)
      case .connect(let index):
        if pending.contains(index) { connected.append(index) }
        machine.attemptConnected(index)
      }
      return settle(latestHasFailed)
    }

    private mutating func settle(_ latestHasFailed: Bool) -> String? {
      var isFirst = true
      while true {
        let lastBegin = begun.last
        switch machine.next(at: now) {
        case .attempt(let index):
          if !connected.isEmpty { return "an attempt after one has connected" }
          if index != begun.count { return "attempt \(index) out of order" }
          let isDue = lastBegin.map { $0.advanced(by: Self.delay) <= now } ?? true
          let mayBegin = isDue || (isFirst && latestHasFailed) || pending.isEmpty
          if !mayBegin { return "attempt \(index) too early" }
          begun.append(now)
          isFirst = false
        case .connected(let index):
          return index == connected.first ? nil : "\(index) is not the first that has connected"
        case .exhausted:
          if begun.count < Self.count { return "exhausted with untried addresses" }
          return failed.count == Self.count ? nil : "exhausted too early"
        case .wait(let until):
          if !connected.isEmpty { return "waits though one has connected" }
          if pending.isEmpty { return "waits for nothing" }
          if begun.count == Self.count { return until == nil ? nil : "waits for a time without a reason" }
          if isFirst, latestHasFailed { return "waits though the latest attempt has failed" }
          return until == lastBegin?.advanced(by: Self.delay) ? nil : "waits until the wrong time"
        }
      }
    }
  }

  @Test("tries, waits and ends as it should under every order of events (P55)")
  func everyOrder() {
    let events: [Event] = [
      .time(1), .time(2), .fail(0), .fail(1), .fail(2), .connect(0), .connect(1), .connect(2),
    ]
    let exploration = Exploration(from: Race(), events: events, depth: 6) { race, event in race.apply(event) }
    #expect(exploration.violations == [])
    #expect(exploration.steps > 200_000)
  }

  @Test("gives up when there is nothing to try")
  func none() {
    var race = HappyEyeballs(count: 0, attemptDelay: .milliseconds(250))
    #expect(race.next(at: EventLoop.Instant(nanoseconds: 0)) == .exhausted)
  }

  @Test(
    "takes the families in turn, after as many of the preferred one as asked for (RFC 8305 §4)",
    arguments: [
      ("66664444", 1, "64646464"), ("66664444", 2, "66464644"), ("66664444", 9, "66664444"),
      ("444666", 1, "464646"), ("646", 1, "646"), ("6444", 1, "6444"), ("4", 1, "4"), ("", 1, ""),
      ("664", 3, "664"), ("4666", 2, "4666"),
    ])
  func order(families: String, firstFamilyCount: Int, expected: String) {
    let addresses = families.enumerated().map { index, family in
      family == "6"
        ? SocketAddress.loopback6(port: UInt16(index + 1)) : .loopback(port: UInt16(index + 1))
    }
    let ordered = HappyEyeballs.order(addresses, firstFamilyCount: firstFamilyCount)
    #expect(ordered.map { $0.host == "::1" ? "6" : "4" }.joined() == expected)
    #expect(ordered.count == addresses.count)
    // Within a family, the resolver's order stays.
    for host in ["::1", "127.0.0.1"] {
      let ports = ordered.filter { $0.host == host }.compactMap(\.port)
      #expect(ports == ports.sorted())
    }
  }
}
