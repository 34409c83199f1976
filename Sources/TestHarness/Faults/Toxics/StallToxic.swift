import AsyncSockets

/// Lets so many bytes go, and holds what comes then.
struct StallToxic: Toxic {
  var left: Int

  mutating func next(_ held: inout ParcelQueue, at now: EventLoop.Instant) -> ToxicStep {
    guard left > 0, let parcel = held.popFirst(atMost: left) else { return .wait(until: nil) }
    left -= parcel.byteCount
    return .pass(parcel)
  }
}
