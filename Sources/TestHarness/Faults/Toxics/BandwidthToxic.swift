import AsyncSockets

/// Lets bytes go at a rate.
struct BandwidthToxic: Toxic {
  let bytesPerSecond: Int
  /// When the last piece was through.
  private var freeAt = EventLoop.Instant(nanoseconds: .min)

  init(bytesPerSecond: Int) { self.bytesPerSecond = bytesPerSecond }

  mutating func next(_ held: inout ParcelQueue, at now: EventLoop.Instant) -> ToxicStep {
    guard let (parcel, arrival) = held.first else { return .wait(until: nil) }
    let count = min(parcel.byteCount, max(1, bytesPerSecond / 100))
    let due = max(freeAt, arrival).advanced(by: time(of: count))
    guard due <= now else { return .wait(until: due) }
    // Not now: a timer that is late is made up for.
    freeAt = due
    return held.popFirst(atMost: count).map { .pass($0) } ?? .wait(until: nil)
  }

  private func time(of count: Int) -> Duration {
    .nanoseconds(Int64(Double(count) * 1e9 / Double(bytesPerSecond)))
  }
}
