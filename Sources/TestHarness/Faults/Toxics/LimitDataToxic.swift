import AsyncSockets

/// Lets so many bytes go, and closes the connection.
struct LimitDataToxic: Toxic {
  var left: Int
  private var hasClosed = false

  init(left: Int) { self.left = left }

  mutating func next(_ held: inout ParcelQueue, at now: EventLoop.Instant) -> ToxicStep {
    if left == 0 {
      defer { hasClosed = true }
      return hasClosed ? .wait(until: nil) : .pass(.close)
    }
    guard let parcel = held.popFirst(atMost: left) else { return .wait(until: nil) }
    left -= parcel.byteCount
    return .pass(parcel)
  }
}
