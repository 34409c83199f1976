import Testing

@testable import AsyncSockets

@Suite("The pace of a message")
struct MessagePaceTests {
  private func limits(message: Int? = nil, rate: MinimumRate? = nil) -> ConnectionLimits {
    var limits = ConnectionLimits()
    limits.message = message.map { .seconds($0) }
    limits.minimumRate = rate
    return limits
  }

  private func second(_ count: Int64) -> EventLoop.Instant {
    EventLoop.Instant(nanoseconds: count * 1_000_000_000)
  }

  @Test("without limits nothing is due")
  func none() {
    let pace = MessagePace(now: second(3), bytesRead: 7)
    #expect(pace.next(limits()).due == .never)
  }

  @Test("a message is due so long after its beginning, whatever has come since")
  func message() {
    var pace = MessagePace(now: second(3), bytesRead: 7)
    pace.pass(second(12), bytesRead: 1000, limits(message: 10))
    #expect(pace.next(limits(message: 10)) == (second(13), .message))
    #expect(pace.next(limits(message: 4)) == (second(7), .message))
  }

  @Test("a period that brought enough is followed by the next, and one that did not by nothing")
  func rate() {
    let limits = limits(rate: MinimumRate(bytesPerSecond: 10, over: .seconds(5)))
    var pace = MessagePace(now: second(0), bytesRead: 100)
    pace.pass(second(4), bytesRead: 1000, limits)
    #expect(pace.next(limits) == (second(5), .minimumRate))
    pace.pass(second(5), bytesRead: 150, limits)
    #expect(pace.next(limits) == (second(10), .minimumRate))
    pace.pass(second(10), bytesRead: 199, limits)
    #expect(pace.next(limits) == (second(10), .minimumRate))
    pace.beginPeriod(second(10), bytesRead: 199)
    #expect(pace.next(limits) == (second(15), .minimumRate))
  }

  @Test("of two limits the one that is due first counts")
  func both() {
    let rate = MinimumRate(bytesPerSecond: 1, over: .seconds(4))
    var pace = MessagePace(now: second(0), bytesRead: 0)
    #expect(pace.next(limits(message: 6, rate: rate)) == (second(4), .minimumRate))
    pace.pass(second(4), bytesRead: 4, limits(message: 6, rate: rate))
    #expect(pace.next(limits(message: 6, rate: rate)) == (second(6), .message))
  }

  @Test("a period needs at least a byte, and no more than there can be")
  func bytesPerPeriod() {
    #expect(MinimumRate(bytesPerSecond: 240).bytesPerPeriod == 1200)
    #expect(MinimumRate(bytesPerSecond: 1, over: .milliseconds(1)).bytesPerPeriod == 1)
    #expect(MinimumRate(bytesPerSecond: .max, over: .seconds(1_000_000_000)).bytesPerPeriod == .max)
  }
}
