import Testing

@testable import AsyncSockets

@Suite("Instants and deadlines")
struct InstantTests {
  private static func at(_ nanoseconds: Int64) -> EventLoop.Instant {
    EventLoop.Instant(nanoseconds: nanoseconds)
  }

  @Test("An instant advances by nanoseconds, in both directions")
  func advancing() {
    #expect(Self.at(5).advanced(by: .nanoseconds(3)) == Self.at(8))
    #expect(Self.at(5).advanced(by: .seconds(-1)) == Self.at(-999_999_995))
    #expect(Self.at(0).advanced(by: .seconds(90)) == Self.at(90_000_000_000))
    #expect(Self.at(7).advanced(by: .zero) == Self.at(7))
  }

  @Test("An instant beyond the clock's range becomes its end")
  func saturation() {
    let longest = Duration(secondsComponent: .max, attosecondsComponent: 0)
    let shortest = Duration(secondsComponent: .min, attosecondsComponent: 0)
    #expect(Self.at(0).advanced(by: longest) == Self.at(.max))
    #expect(Self.at(-1).advanced(by: longest) == Self.at(.max))
    #expect(Self.at(.max).advanced(by: longest) == Self.at(.max))
    #expect(Self.at(.max - 1).advanced(by: .nanoseconds(2)) == Self.at(.max))
    #expect(Self.at(1).advanced(by: shortest) == Self.at(.min))
    #expect(Self.at(-5).advanced(by: shortest) == Self.at(.min))
    #expect(Self.at(.min).advanced(by: .nanoseconds(-1)) == Self.at(.min))
  }

  @Test(
    "An instant is a duration after the clock's zero, cut to what 64 bits of nanoseconds hold",
    arguments: [
      (.zero, 0),
      (.nanoseconds(1), 1),
      (.nanoseconds(-1), -1),
      (.milliseconds(-1500), -1_500_000_000),
      (Duration(secondsComponent: 0, attosecondsComponent: 999_999_999), 0),
      (.seconds(9_223_372_036), 9_223_372_036_000_000_000),
      (.nanoseconds(Int64.max), .max),
      (.nanoseconds(Int64.min), .min),
      (.seconds(9_223_372_037), .max),
      (.seconds(-9_223_372_037), .min),
      (.seconds(Int64.max), .max),
      (.seconds(Int64.min), .min),
    ] as [(Duration, Int64)])
  func nanoseconds(duration: Duration, nanoseconds: Int64) {
    #expect(Self.at(0).advanced(by: duration) == Self.at(nanoseconds))
  }

  @Test("The time between two instants does not overflow")
  func difference() {
    #expect(Self.at(3).duration(to: Self.at(10)) == .nanoseconds(7))
    #expect(Self.at(10).duration(to: Self.at(3)) == .nanoseconds(-7))
    let whole = Self.at(.min).duration(to: Self.at(.max))
    #expect(whole == .nanoseconds(Int64.max) - .nanoseconds(Int64.min))
    #expect(Self.at(.min).advanced(by: whole) == Self.at(.max))
  }

  @Test("Instants are ordered as time is")
  func order() {
    #expect(Self.at(-1) < Self.at(0))
    #expect(!(Self.at(0) < Self.at(0)))
    #expect([3, -2, 1].map(Self.at).sorted() == [-2, 1, 3].map(Self.at))
  }

  @Test("A deadline counts from the call, or stands at a point (P46)")
  func deadlines() {
    let now = Self.at(100)
    #expect(Deadline.never.instant(now: now) == nil)
    #expect(Deadline.after(.nanoseconds(20)).instant(now: now) == Self.at(120))
    #expect(Deadline.after(.zero).instant(now: now) == now)
    #expect(Deadline.after(.seconds(Int64.max)).instant(now: now) == Self.at(.max))
    #expect(Deadline.at(Self.at(7)).instant(now: now) == Self.at(7))
  }

  @Test("Only a deadline that counts from the call asks for the time")
  func lazyTime() {
    func noTime() -> EventLoop.Instant {
      Issue.record("the time was asked for")
      return Self.at(0)
    }
    #expect(Deadline.never.instant(now: noTime()) == nil)
    #expect(Deadline.at(Self.at(7)).instant(now: noTime()) == Self.at(7))
  }

  @Test("The monotonic clock never goes back")
  func monotonicClock() {
    var last = MonotonicClock.shared.now
    for _ in 0..<1000 {
      let now = MonotonicClock.shared.now
      #expect(now >= last)
      last = now
    }
    #expect(MonotonicClock.shared.nanoseconds(until: last) == 0)
  }
}
