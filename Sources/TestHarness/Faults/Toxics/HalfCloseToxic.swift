import AsyncSockets

/// Lets so many bytes go, ends the stream, and loses what comes then.
struct HalfCloseToxic: Toxic {
  var left: Int
  private var hasEnded = false

  init(left: Int) { self.left = left }

  mutating func next(_ held: inout ParcelQueue, at now: EventLoop.Instant) -> ToxicStep {
    if left == 0, !hasEnded {
      hasEnded = true
      return .pass(.end)
    }
    while let parcel = held.popFirst(atMost: left > 0 ? left : .max) {
      if left == 0, case .bytes = parcel { continue }
      left -= parcel.byteCount
      return .pass(parcel)
    }
    return .wait(until: nil)
  }
}
