import AsyncSockets
import Testing

@testable import TestHarness

@Suite struct NetworkEventsTests {
  @Test(
    "what is to happen happens by time, and at one time in the order in which it was put in",
    arguments: 0..<10)
  func order(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var events = NetworkEvents()
    var model: [(due: Int64, number: Int)] = []
    var now: Int64 = 0
    for number in 0..<1000 {
      let due = now + Int64.random(in: 0...20, using: &random)
      events.insert(.probe(stream: number), due: EventLoop.Instant(nanoseconds: due))
      model.append((due, number))
      guard Int.random(in: 0...3, using: &random) == 0 else { continue }
      now += Int64.random(in: 0...15, using: &random)
      let expected = model.filter { $0.due <= now }.sorted { ($0.due, $0.number) < ($1.due, $1.number) }
      model.removeAll { $0.due <= now }
      var popped: [Int] = []
      while case .probe(let stream)? = events.popDue(EventLoop.Instant(nanoseconds: now)) {
        popped.append(stream)
      }
      #expect(popped == expected.map(\.number))
      #expect(events.count == model.count)
      #expect(events.next?.nanoseconds == model.map(\.due).min())
    }
  }

  @Test("a host's clock shows what it was set to, runs on at its pace, and jumps")
  func time() {
    var time = HostTime()
    #expect(time.reading(at: 1000) == 1000 && time.truth(of: 50) == 50)
    time.set(to: 500, drift: 0.25, at: 1000)
    #expect(time.reading(at: 1000) == 500 && time.reading(at: 1400) == 1000 && time.truth(of: 500) == 400)
    time.move(by: -900, at: 1400)
    #expect(time.reading(at: 1400) == 100 && time.reading(at: 1800) == 600)
    time.set(to: 0, drift: -0.5, at: 2000)
    #expect(time.reading(at: 2010) == 5 && time.truth(of: 5) == 10)
  }
}
