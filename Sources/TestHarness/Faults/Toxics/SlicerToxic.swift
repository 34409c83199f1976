import AsyncSockets

/// Cuts bytes into pieces, with a time between them.
struct SlicerToxic: Toxic {
  let sizes: ClosedRange<Int>
  let delay: Duration
  var random: SeededRandom
  private var mayGoAt = EventLoop.Instant(nanoseconds: .min)

  init(sizes: ClosedRange<Int>, delay: Duration, random: SeededRandom) {
    self.sizes = sizes
    self.delay = delay
    self.random = random
  }

  mutating func next(_ held: inout ParcelQueue, at now: EventLoop.Instant) -> ToxicStep {
    guard let (parcel, _) = held.first else { return .wait(until: nil) }
    guard case .bytes = parcel else {
      _ = held.popFirst()
      return .pass(parcel)
    }
    if mayGoAt > now { return .wait(until: mayGoAt) }
    mayGoAt = now.advanced(by: delay)
    return held.popFirst(atMost: .random(in: sizes, using: &random)).map { .pass($0) } ?? .wait(until: nil)
  }
}
