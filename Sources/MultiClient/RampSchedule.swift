import AsyncSockets

/// When the next connection may be begun, by a ramp. Pure.
struct RampSchedule {
  private let curve: RampUp.Curve
  private var origin: EventLoop.Instant?
  private var begun = 0.0
  /// What was due and not begun in time, and is not made up for.
  private var forfeited = 0.0

  init(_ ramp: RampUp) { curve = ramp.curve }

  /// When the next may begin: not later than `now` if it may at once.
  func due(_ now: EventLoop.Instant) -> EventLoop.Instant {
    guard let origin, let count = curve.count(after: Self.seconds(origin, now)) else { return now }
    // The first is due at the beginning.
    if count + 1 - forfeited - begun >= 1 - 1e-6 { return now }
    // Three hundred years are enough.
    let time = min(curve.time(of: begun + forfeited), 9e9)
    return max(origin.advanced(by: .nanoseconds(Int64(time * 1e9) + 1)), now.advanced(by: .nanoseconds(1)))
  }

  /// One begins.
  mutating func begin(_ now: EventLoop.Instant) {
    if origin == nil { origin = now }
    guard let origin, let count = curve.count(after: Self.seconds(origin, now)) else { return }
    begun += 1
    let left = count + 1 - forfeited - begun
    let burst = curve.burst(after: Self.seconds(origin, now))
    if left > burst { forfeited += left - burst }
  }

  private static func seconds(_ origin: EventLoop.Instant, _ now: EventLoop.Instant) -> Double {
    Double(now.nanoseconds - origin.nanoseconds) / 1e9
  }
}
