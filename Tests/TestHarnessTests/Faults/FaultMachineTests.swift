import AsyncSockets
import Testing

@testable import TestHarness

@Suite("The machines of a fault proxy")
struct FaultMachineTests {
  private let lossless: [Fault] = [
    .latency(.milliseconds(5), jitter: .milliseconds(5)), .bandwidth(bytesPerSecond: 50_000),
    .slowClose(.milliseconds(20)), .slicer(averageSize: 300, variation: 299, delay: .milliseconds(1)),
    .limitData(.max), .halfClose(afterBytes: .max), .stall(afterBytes: .max), .stall(afterBytes: 100),
  ]

  @Test(
    "whatever faults come and go, what none of them loses comes whole and in order"
  )
  func order() throws {
    for seed in 0..<50 as Range<UInt64> {
      var random = SeededRandom(seed: seed)
      var chain = FaultChain()
      var now = EventLoop.Instant(nanoseconds: 0)
      var (sent, received) = (0, 0)
      var ids: [Int] = []
      var isWrong = false
      func deliver() {
        guard case .bytes(let bytes)? = chain.deliver() else { return }
        if bytes.indices.contains(where: {
          bytes[$0] != UInt8(truncatingIfNeeded: received + $0 - bytes.startIndex)
        }) {
          isWrong = true
        }
        received += bytes.count
      }
      for step in 0..<200 {
        switch Int.random(in: 0..<8, using: &random) {
        case 0 where ids.count < 4:
          let fault = try #require(lossless.randomElement(using: &random))
          chain.add(fault.makeToxic(at: now, random: SeededRandom(seed: seed)), id: step)
          ids.append(step)
        case 1 where !ids.isEmpty:
          chain.remove(id: ids.remove(at: .random(in: ids.indices, using: &random)), at: now)
        case 2...4 where chain.hasRoom:
          let count = Int.random(in: 1...1000, using: &random)
          chain.take(.bytes((sent..<sent + count).map { UInt8(truncatingIfNeeded: $0) }[...]), at: now)
          sent += count
        case 5: now = now.advanced(by: .milliseconds(.random(in: 0...10, using: &random)))
        default: for _ in 0..<5 { deliver() }
        }
        let due = chain.run(at: now).due
        // What is due has been done.
        if let due, due <= now { isWrong = true }
      }
      for id in ids { chain.remove(id: id, at: now) }
      chain.take(.end, at: now)
      while received < sent, chain.hasDelivery { deliver() }
      let end = chain.deliver()
      #expect(received == sent && !isWrong && end == .end && !chain.hasDelivery, "seed \(seed)")
    }
  }

  @Test("however often faults are added and removed, no more is held than twice what there is room for")
  func bound() {
    var chain = FaultChain()
    let now = EventLoop.Instant(nanoseconds: 0)
    var held = 0
    for id in 0..<100 {
      chain.add(StallToxic(left: 0), id: id)
      while chain.hasRoom {
        chain.take(.bytes([UInt8](repeating: 0, count: 16_384)[...]), at: now)
        held += 16_384
        _ = chain.run(at: now)
      }
      chain.remove(id: id, at: now)
    }
    #expect(held >= 65_536 && held <= 2 * 65_536 + 2 * 16_384, "\(held)")
  }

  @Test("nothing but a reset comes after the end")
  func afterEnd() {
    var chain = FaultChain()
    let now = EventLoop.Instant(nanoseconds: 0)
    for parcel in [Parcel.end, .bytes([1]), .end, .reset] { chain.take(parcel, at: now) }
    #expect(chain.deliver() == .end)
    #expect(chain.deliver() == .reset)
    #expect(chain.deliver() == nil)
  }

  @Test("many parcels of one byte leave no more room than few large ones")
  func smallParcels() {
    var queue = ParcelQueue(capacity: 65_536)
    var count = 0
    while queue.hasRoom {
      queue.append(.bytes([1]), at: EventLoop.Instant(nanoseconds: 0))
      count += 1
    }
    #expect(count == ParcelQueue.mostParcels)
    while queue.popFirst() != nil { count -= 1 }
    #expect(count == 0 && queue.hasRoom && queue.first == nil)
  }

  @Test(
    "a connection is closed when both have ended, and reset when one fails and nobody else will tell the other"
  )
  func endings() {
    typealias Event = ProxyEndings.Event
    func end(_ events: (Event, Int)...) -> [Severance?] {
      var endings = ProxyEndings()
      return events.map { endings.note($0, in: $1) }
    }
    for first in 0...1 {
      let second = 1 - first
      #expect(end((.ended, first), (.ended, second)) == [nil, .close])
      #expect(end((.ended, first), (.refused, second)) == [nil, .reset])
      #expect(end((.refused, first), (.ended, second)) == [nil, .reset])
      #expect(end((.refused, first), (.refused, second)) == [nil, .reset])
      #expect(end((.refused, first), (.severed(.reset), second)) == [nil, .reset])
      #expect(end((.severed(.close), first)) == [.close])
    }
  }
}
