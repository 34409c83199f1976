import AsyncSockets

/// Resets the connection after a time, until when everything passes.
struct ResetPeerToxic: Toxic {
  let resetsAt: EventLoop.Instant

  var doom: (at: EventLoop.Instant, end: Severance)? { (resetsAt, .reset) }

  mutating func next(_ held: inout ParcelQueue, at now: EventLoop.Instant) -> ToxicStep {
    held.popFirst().map { .pass($0) } ?? .wait(until: nil)
  }
}
