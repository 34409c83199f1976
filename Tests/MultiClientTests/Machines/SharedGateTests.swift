import AsyncSockets
import TestSupport
import Testing

@testable import MultiClient

@Suite("The gate that several clients share")
struct SharedGateTests {
  /// Clients without connections: their queues, and what their gate calls them for.
  private struct Group {
    let gate: SharedGate
    let calls: [Log<String>]
    var answered = [0, 0, 0]
    var queues = Array(repeating: TargetQueue<String>(), count: 3)
    /// By the clients' numbers.
    var connecting: [(client: Int, host: String)] = []
    var open: [(client: Int, host: String)] = []

    init(_ limits: MultiClientLimits) {
      gate = SharedGate(limits, isShared: true)
      calls = (0..<3).map { _ in Log() }
      for log in calls {
        gate.add { call in
          switch call {
          case .host(let host): log.add(host)
          case .place, .limits: log.add("")
          }
        }
      }
    }

    /// Does what it was called for; whether there was something.
    mutating func answer(_ client: Int) -> Bool {
      let calls = calls[client].values
      guard answered[client] < calls.count else { return false }
      for host in calls[answered[client]...] where host != "" { queues[client].release(host) }
      answered[client] = calls.count
      pump(client)
      return true
    }

    mutating func pump(_ client: Int) {
      let gate = gate
      while gate.hasPlace(for: client) {
        guard let host = queues[client].next({ gate.hasRoom(for: $0, client) ? nil : $0 }) else {
          return gate.passOn(client)
        }
        switch gate.begin(host, .at(0), by: client) {
        case .now:
          connecting.append((client, host))
          queues[client].release(host)
        case .full: return queues[client].putBack(host)
        case .hostIsFull: queues[client].park(host, host)
        case .at: queues[client].putBack(host)
        }
      }
    }

    mutating func connect() {
      let (client, host) = connecting.removeFirst()
      gate.connected(client)
      open.append((client, host))
      pump(client)
    }

    mutating func end(_ index: Int) {
      let (client, host) = open.remove(at: index)
      gate.end(host, wasConnecting: false, by: client)
      queues[client].release(host)
      pump(client)
    }
  }

  private func explore(_ limits: MultiClientLimits, seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var group = Group(limits)
    for client in 0..<3 {
      for _ in 0..<Int.random(in: 0...30, using: &random) {
        group.queues[client].append(["a", "b", "c"].randomElement(using: &random) ?? "a")
      }
    }
    for client in 0..<3 { group.pump(client) }
    while true {
      let all = group.connecting + group.open
      let perHost = Dictionary(grouping: all) { $0.host }.values.map(\.count).max() ?? 0
      if all.count > limits.open || group.connecting.count > limits.connecting ?? .max
        || perHost > limits.perHost ?? .max
      {
        Issue.record("too many, seed \(seed): \(all)")
        return
      }
      let client = Int.random(in: 0..<3, using: &random)
      switch Int.random(in: 0..<3, using: &random) {
      case 0: _ = group.answer(client)
      case 1 where !group.connecting.isEmpty: group.connect()
      case 2 where !group.open.isEmpty: group.end(Int.random(in: group.open.indices, using: &random))
      default:
        if all.isEmpty, !(0..<3).map({ group.answer($0) }).contains(true) {
          let left = group.queues.map(\.count)
          #expect(left == [0, 0, 0], "forgotten, seed \(seed), \(limits)")
          return
        }
      }
    }
  }

  @Test(
    "no limit is exceeded, and whoever waits for a place or a host is called in the end",
    arguments: 0..<5 as Range<UInt64>)
  func exploration(seed: UInt64) {
    for open in 1...4 {
      for connecting in [nil, 1, 2] as [Int?] {
        for perHost in [nil, 1, 2] as [Int?] {
          var limits = MultiClientLimits(open: open)
          (limits.connecting, limits.perHost) = (connecting, perHost)
          explore(limits, seed: seed)
        }
      }
    }
  }

  @Test("who finds a host full only when it begins is called as well")
  func quicker() {
    var limits = MultiClientLimits()
    limits.perHost = 1
    let group = Group(limits)
    let answers = [group.gate.begin("a", .at(0), by: 0), group.gate.begin("a", .at(0), by: 1)]
    #expect(answers == [.now, .hostIsFull])
    group.gate.connected(0)
    group.gate.end("a", wasConnecting: false, by: 0)
    #expect(group.calls.map(\.values) == [[], ["a"], []])
  }

  @Test("and so with a thousand seeds", .thoroughOnly)
  func thorough() {
    for seed in 5..<1000 as Range<UInt64> { exploration(seed: seed) }
  }
}
