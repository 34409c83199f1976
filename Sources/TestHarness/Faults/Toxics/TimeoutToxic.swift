import AsyncSockets

/// Loses every byte, and closes the connection after a time.
struct TimeoutToxic: Toxic {
  let closesAt: EventLoop.Instant?

  var doom: (at: EventLoop.Instant, end: Severance)? { closesAt.map { ($0, .close) } }

  /// An end stays, for when the fault is removed.
  mutating func next(_ held: inout ParcelQueue, at now: EventLoop.Instant) -> ToxicStep {
    while case .bytes? = held.first?.parcel { _ = held.popFirst() }
    return .wait(until: nil)
  }
}
