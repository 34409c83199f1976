import AsyncSockets

/// Holds the end of the stream for a time.
struct SlowCloseToxic: Toxic {
  let delay: Duration

  mutating func next(_ held: inout ParcelQueue, at now: EventLoop.Instant) -> ToxicStep {
    guard let (parcel, arrival) = held.first else { return .wait(until: nil) }
    if parcel == .end {
      let due = arrival.advanced(by: delay)
      if due > now { return .wait(until: due) }
    }
    _ = held.popFirst()
    return .pass(parcel)
  }
}
