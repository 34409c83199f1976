import AsyncSockets

/// Holds each parcel for a time of its own.
struct LatencyToxic: Toxic {
  let delay: Duration
  let jitter: Duration
  var random: SeededRandom
  /// When the first of those that are held may go.
  private var due: EventLoop.Instant?

  init(delay: Duration, jitter: Duration, random: SeededRandom) {
    self.delay = delay
    self.jitter = jitter
    self.random = random
  }

  /// A long way holds more.
  var capacity: Int { 1 << 20 }

  mutating func next(_ held: inout ParcelQueue, at now: EventLoop.Instant) -> ToxicStep {
    guard let (parcel, arrival) = held.first else { return .wait(until: nil) }
    let due = self.due ?? arrival.advanced(by: delay).advanced(by: draw())
    guard due <= now else {
      self.due = due
      return .wait(until: due)
    }
    self.due = nil
    _ = held.popFirst()
    return .pass(parcel)
  }

  private mutating func draw() -> Duration {
    let width = EventLoop.Instant(nanoseconds: 0).advanced(by: jitter).nanoseconds
    return .nanoseconds(Int64.random(in: -width...width, using: &random))
  }
}
