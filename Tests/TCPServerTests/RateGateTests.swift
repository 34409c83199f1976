import AsyncSockets
import TestSupport
import Testing

@testable import TCPServer

@Suite("The gates of a server")
struct RateGateTests {
  private func at(_ milliseconds: Int64) -> EventLoop.Instant {
    EventLoop.Instant(nanoseconds: milliseconds * 1_000_000)
  }

  /// How many pass in the millisecond after each of so many, one after the other.
  private func passes(_ gate: inout RateGate, from first: Int64, milliseconds: Int64) -> Int {
    var count = 0
    for time in first..<(first + milliseconds) {
      while count < 1_000_000, gate.opens(at(time)) <= at(time) {
        gate.pass(at(time))
        count += 1
      }
    }
    return count
  }

  @Test("without a rate everybody passes")
  func open() {
    var gate = RateGate(rate: nil)
    for _ in 0..<1000 {
      #expect(gate.opens(at(5)) == at(5))
      gate.pass(at(5))
    }
  }

  @Test("a burst passes at once, then one at each interval, and after a silence a burst again")
  func burst() {
    var gate = RateGate(rate: AcceptRate(perSecond: 10, burst: 3))
    #expect(passes(&gate, from: 0, milliseconds: 1) == 3)
    #expect(gate.opens(at(0)) == at(100))
    #expect(passes(&gate, from: 1, milliseconds: 99) == 0)
    #expect(passes(&gate, from: 100, milliseconds: 1000) == 10)
    #expect(passes(&gate, from: 10_000, milliseconds: 1) == 3)
  }

  @Test("over a long time nobody gets more than the rate and one burst, whenever they come")
  func longRun() {
    var random = SeededGenerator(seed: 7)
    for perSecond in [1, 7, 1000] {
      var gate = RateGate(rate: AcceptRate(perSecond: perSecond, burst: 5))
      var time: Int64 = 0
      var count = 0
      while time < 20_000 {
        if gate.opens(at(time)) <= at(time) {
          gate.pass(at(time))
          count += 1
        }
        time += Int64.random(in: 0...3, using: &random)
      }
      #expect(count <= 5 + 20 * perSecond)
    }
  }

  @Test("a rate that is raised, lowered or taken away counts at once")
  func changed() {
    var gate = RateGate(rate: AcceptRate(perSecond: 1, burst: 10))
    #expect(passes(&gate, from: 0, milliseconds: 1) == 10)
    // Ten seconds are paid for in advance; with a faster rate no more than its burst is.
    gate.set(AcceptRate(perSecond: 1000, burst: 2), now: at(0))
    #expect(gate.opens(at(0)) == at(1))
    #expect(passes(&gate, from: 1, milliseconds: 100) == 100)
    gate.set(AcceptRate(perSecond: 2, burst: 1), now: at(101))
    #expect(passes(&gate, from: 101, milliseconds: 2000) == 4)
    gate.set(nil, now: at(2101))
    #expect(gate.opens(at(2101)) == at(2101))
    gate.set(AcceptRate(perSecond: 5, burst: 5), now: at(2101))
    #expect(passes(&gate, from: 2101, milliseconds: 1) == 5)
  }

  @Test("a number of connections that is lowered below what is there lets nobody in until enough have left")
  func connections() {
    var gate = ConnectionGate(limit: 3)
    func enter() -> Bool { gate.enter() }
    for _ in 0..<3 { #expect(enter()) }
    #expect(!enter())
    gate.limit = 1
    gate.leave()
    gate.leave()
    #expect(!enter())
    gate.leave()
    #expect(enter())
    gate.limit = nil
    for _ in 0..<1000 { #expect(enter()) }
    gate.limit = 0
    #expect(!enter())
  }

  @Test(
    "peers are counted by IP address, those of IPv6 by their first 64 bits, and not kept once they have left")
  func peers() throws {
    var peers = PeerCounts()
    func enter(_ peer: SocketAddress?, limit: Int) -> Bool {
      guard peers.mayEnter(peer, limit: limit) else { return false }
      peers.enter(peer)
      return true
    }
    let address = try SocketAddress("192.0.2.7:1")
    for number in 1...3 { #expect(enter(address.withPort(UInt16(number)), limit: 3)) }
    #expect(!enter(address, limit: 3))
    #expect(enter(try SocketAddress("192.0.2.8:1"), limit: 3))
    #expect(enter(address, limit: 4))
    #expect(!enter(address, limit: 1))
    for number in 1...4 { peers.leave(address.withPort(UInt16(number))) }
    #expect(peers.count == 1)

    #expect(enter(try SocketAddress("[2001:db8::1]:1"), limit: 1))
    #expect(!enter(try SocketAddress("[2001:db8::ffff:1]:1"), limit: 1))
    #expect(enter(try SocketAddress("[2001:db8:0:1::1]:1"), limit: 1))
    // A Unix socket has no IP address, and a peer that had gone has none that is known.
    for _ in 0..<10 {
      #expect(enter(.unix(path: ""), limit: 1))
      #expect(enter(nil, limit: 1))
    }
    peers.leave(nil)
    peers.leave(address)
    #expect(peers.count == 3)
    let same = PeerCounts(of: [address, nil, address.withPort(9)])
    #expect(same.mayEnter(address, limit: 3) && !same.mayEnter(address, limit: 2))
  }
}
