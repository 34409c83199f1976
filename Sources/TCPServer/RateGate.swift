import AsyncSockets

/// How many may come in a time: so many at once, and then one at each interval. Pure.
///
/// It keeps the instant until which those who have come are paid for (the "generic cell rate algorithm" of ITU-T
/// I.371): nothing has to be refilled, and a gate that nobody uses costs nothing.
struct RateGate {
  private(set) var rate: AcceptRate?
  private var paid = EventLoop.Instant(nanoseconds: .min)

  init(rate: AcceptRate?) { self.rate = rate }

  /// When the next may come: at once if that is not later than `now`.
  func opens(_ now: EventLoop.Instant) -> EventLoop.Instant {
    guard let rate, paid > now else { return now }
    return paid.advanced(by: .zero - rate.interval * (rate.burst - 1))
  }

  /// One has come.
  mutating func pass(_ now: EventLoop.Instant) {
    guard let rate else { return }
    paid = max(paid, now).advanced(by: rate.interval)
  }

  /// From now on another rate counts. Nobody waits longer for what came before than after a burst of the new one.
  mutating func set(_ rate: AcceptRate?, now: EventLoop.Instant) {
    guard rate != self.rate else { return }
    self.rate = rate
    guard let rate else { return paid = now }
    paid = min(paid, now.advanced(by: rate.interval * rate.burst))
  }
}

extension AcceptRate {
  /// The time that one connection uses up.
  fileprivate var interval: Duration { .nanoseconds(1_000_000_000 / Int64(perSecond)) }
}
