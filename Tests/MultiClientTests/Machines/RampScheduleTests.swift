import AsyncSockets
import TestSupport
import Testing

@testable import MultiClient

@Suite("A ramp")
struct RampScheduleTests {
  /// When so many begin, if each begins as soon as it may.
  private func times(_ ramp: RampUp, count: Int) -> [Double] {
    var schedule = RampSchedule(ramp)
    var now = EventLoop.Instant.at(100)
    return (0..<count).map { _ in
      now = max(now, schedule.due(now))
      #expect(schedule.due(now) <= now)
      schedule.begin(now)
      return Double(now.nanoseconds) / 1e9 - 100
    }
  }

  @Test("without one, everybody begins at once")
  func none() {
    #expect(times(.immediately, count: 1000).allSatisfy { $0 == 0 })
  }

  @Test(
    "a constant one begins the first at once and the others at equal distances",
    arguments: [0.5, 3, 100, 20_000])
  func constant(rate: Double) {
    for (number, time) in times(.constant(perSecond: rate), count: 500).enumerated() {
      #expect(abs(time - Double(number) / rate) < 1e-6)
    }
  }

  @Test("a linear one goes from rate to rate, and on at the last")
  func linear() {
    // 0 to 100 a second in 10 s: 500 in those.
    let rising = times(.linear(from: 0, to: 100, over: .seconds(10)), count: 1001)
    #expect(rising[0] == 0)
    #expect(abs(rising[125] - 5) < 1e-6)
    #expect(abs(rising[500] - 10) < 1e-6)
    #expect(abs(rising[1000] - 15) < 1e-6)
    let falling = times(.linear(from: 100, to: 10, over: .seconds(10)), count: 651)
    #expect(abs(falling[550] - 10) < 1e-6)
    #expect(abs(falling[650] - 20) < 1e-6)
    #expect(zip(rising, rising.dropFirst()).allSatisfy { $0 <= $1 })
  }

  @Test("counts and times of a curve are inverse to each other")
  func inverse() {
    let curves: [RampUp.Curve] = [
      .constant(7), .linear(from: 0, to: 9, seconds: 3), .linear(from: 9, to: 0.5, seconds: 3),
      .linear(from: 4, to: 4, seconds: 1),
    ]
    for curve in curves {
      let errors = (0..<100).map { number in
        abs((curve.count(after: curve.time(of: Double(number))) ?? -1) - Double(number))
      }
      #expect(errors.allSatisfy { $0 < 1e-6 })
    }
  }

  @Test("the slowest there may be is in range for ever")
  func slowest() {
    var schedule = RampSchedule(.constant(perSecond: 0.001))
    var now = EventLoop.Instant.at(0)
    for _ in 0..<1000 {
      schedule.begin(now)
      now = EventLoop.Instant(nanoseconds: max(now.nanoseconds, now.nanoseconds / 2 + Int64.max / 2 - 10))
      _ = schedule.due(now)
    }
    #expect(schedule.due(now) >= now)
  }

  @Test("who was kept from beginning makes up for a tenth of a second, and no more")
  func late() {
    var schedule = RampSchedule(.constant(perSecond: 100))
    schedule.begin(.at(0))
    // A thousand are due, ten are made up for.
    var count = 0
    while schedule.due(.at(10)) <= .at(10) {
      schedule.begin(.at(10))
      count += 1
    }
    #expect((10...12).contains(count))
    #expect(schedule.due(.at(10)) <= .at(10.0101))
  }

  @Test(
    "in no second more begin than the rate, and a tenth of that, whatever happens",
    arguments: 0..<5 as Range<UInt64>)
  func bounded(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var schedule = RampSchedule(.constant(perSecond: 50))
    var now = 0.0
    var begun: [Double] = []
    for _ in 0..<2000 {
      now += Bool.random(using: &random) ? 0.001 : Double.random(in: 0...0.05, using: &random)
      if Int.random(in: 0..<100, using: &random) == 0 { now += 3 }
      if schedule.due(.at(now)) <= .at(now) {
        schedule.begin(.at(now))
        begun.append(now)
      }
    }
    let most =
      begun.indices.map { index in begun[index...].prefix { $0 < begun[index] + 1 }.count }.max() ?? 0
    #expect((45...57).contains(most))
  }
}
