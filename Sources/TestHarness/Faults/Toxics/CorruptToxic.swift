import AsyncSockets

/// Flips one bit of some bytes, whatever parcels they come in.
struct CorruptToxic: Toxic {
  let share: Double
  var random: SeededRandom

  mutating func next(_ held: inout ParcelQueue, at now: EventLoop.Instant) -> ToxicStep {
    guard let parcel = held.popFirst() else { return .wait(until: nil) }
    guard case .bytes(let bytes) = parcel else { return .pass(parcel) }
    return .pass(
      .bytes(
        ArraySlice(
          bytes.map { byte in
            guard Double.random(in: 0..<1, using: &random) < share else { return byte }
            return byte ^ (1 << UInt8.random(in: 0..<8, using: &random))
          })))
  }
}
