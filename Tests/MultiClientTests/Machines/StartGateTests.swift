import AsyncSockets
import TestSupport
import Testing

@testable import MultiClient

@Suite("Who may begin, and when")
struct StartGateTests {
  /// A small world of connections, in which everything that may happen happens, in an order that the seed decides.
  private func explore(_ limits: MultiClientLimits, seed: UInt64, steps: Int = 200) {
    var random = SeededGenerator(seed: seed)
    var gate = StartGate(limits)
    var now = EventLoop.Instant.at(1)
    var connecting: [String] = []
    var open: [String] = []
    for _ in 0..<steps {
      let host = ["a", "b", "c"].randomElement(using: &random) ?? "a"
      switch Int.random(in: 0..<4, using: &random) {
      case 0:
        let mayBegin = gate.verdict(now) == .now && gate.hasRoom(for: host)
        let count = connecting.count + open.count
        let isFull = count >= limits.open || connecting.count >= limits.connecting ?? .max
        let hostIsFull = (connecting + open).count { $0 == host } >= limits.perHost ?? .max
        if isFull, gate.verdict(now) != .full { Issue.record("not full: \(gate)") }
        if mayBegin, isFull || hostIsFull { Issue.record("too many: \(gate)") }
        let mayAlways = limits.rampUp == .immediately && !isFull && !hostIsFull
        if mayAlways, !mayBegin { Issue.record("waits without need: \(gate)") }
        guard mayBegin else { continue }
        gate.begin(host, now)
        connecting.append(host)
      case 1:
        guard let host = connecting.popLast() else { continue }
        gate.connected()
        open.append(host)
      case 2:
        let wasConnecting = Bool.random(using: &random)
        guard let host = wasConnecting ? connecting.popLast() : open.popLast() else { continue }
        gate.end(host, wasConnecting: wasConnecting)
      default:
        now = now.advanced(by: .milliseconds(Int.random(in: 0...300, using: &random)))
      }
      let isCounted = gate.open == connecting.count + open.count && gate.connecting == connecting.count
      let isBounded = gate.open <= limits.open && gate.connecting <= limits.connecting ?? .max
      if !isCounted || !isBounded {
        Issue.record("\(gate) of \(connecting) and \(open)")
        return
      }
    }
  }

  @Test(
    "the window and the caps are never exceeded, and nobody waits who need not, in any order",
    arguments: 0..<5 as Range<UInt64>)
  func exploration(seed: UInt64) {
    for open in 1...3 {
      for connecting in [nil, 1, 2] as [Int?] {
        for perHost in [nil, 1, 2] as [Int?] {
          var limits = MultiClientLimits(open: open)
          (limits.connecting, limits.perHost) = (connecting, perHost)
          explore(limits, seed: seed)
          limits.rampUp = .constant(perSecond: 7)
          explore(limits, seed: seed)
        }
      }
    }
  }

  @Test("and so with a thousand seeds", .thoroughOnly)
  func thoroughExploration() {
    for seed in 5..<1000 as Range<UInt64> { exploration(seed: seed) }
  }

  @Test(
    "limits that change count at once, and hosts are counted from then on, those that are there among them")
  func change() {
    var gate = StartGate(MultiClientLimits(open: 2))
    gate.begin("a", .at(0))
    gate.begin("a", .at(0))
    #expect(gate.verdict(.at(0)) == .full)
    gate.set(MultiClientLimits(open: 3)) { [] }
    #expect(gate.verdict(.at(0)) == .now)
    var limits = MultiClientLimits(open: 3)
    limits.perHost = 2
    gate.set(limits) { ["a", "a"] }
    #expect(!gate.hasRoom(for: "a"))
    #expect(gate.hasRoom(for: "b"))
    gate.end("a", wasConnecting: true)
    #expect(gate.hasRoom(for: "a"))
    limits.perHost = nil
    gate.set(limits) { [] }
    #expect(gate.hasRoom(for: "a"))
  }

  @Test(
    "what the system has room for bounds the window, to one at least; a pause ends in time, or when one ends")
  func system() {
    var gate = StartGate(MultiClientLimits(open: 10))
    gate.setCeiling(2)
    #expect(gate.window == 2)
    gate.setCeiling(0)
    #expect(gate.window == 1)
    gate.setCeiling(nil)
    gate.begin("a", .at(0))
    gate.pause(until: .at(1))
    #expect(gate.verdict(.at(0.5)) == .at(.at(1)))
    #expect(gate.verdict(.at(1)) == .now)
    gate.end("a", wasConnecting: true)
    #expect(gate.verdict(.at(0.5)) == .now)
  }

  @Test("limits that cannot work are refused in words")
  func invalid() {
    func problem(_ change: (inout MultiClientLimits) -> Void) -> String {
      var limits = MultiClientLimits()
      change(&limits)
      do throws(SocketError) {
        try limits.validate()
        return ""
      } catch { return "\(error)" }
    }
    #expect(problem { _ in } == "")
    #expect(problem { $0.open = 0 }.contains("limits.open must be from 1 to"))
    #expect(problem { $0.connecting = 0 }.contains("limits.connecting must be at least 1, not 0"))
    #expect(problem { $0.perHost = -1 }.contains("limits.perHost must be at least 1, not -1"))
    #expect(problem { $0.rampUp = .constant(perSecond: 0) }.contains("rampUp's rate must be from 0.001"))
    #expect(problem { $0.rampUp = .constant(perSecond: .nan) }.contains("rampUp's rate"))
    #expect(problem { $0.rampUp = .linear(from: -1, to: 5, over: .seconds(1)) }.contains("first rate"))
    #expect(problem { $0.rampUp = .linear(from: 1, to: 0, over: .seconds(1)) }.contains("last rate"))
    #expect(problem { $0.rampUp = .linear(from: 1, to: 5, over: .zero) }.contains("duration"))
    #expect(problem { $0.timeouts.input = .zero }.contains("timeouts.input must be positive, not 0 s"))
  }
}
