import AsyncSockets

/// From one host to another.
struct Route: Hashable {
  let from: Int
  let to: Int
}

/// One direction of the way between two hosts.
struct Wire {
  /// A packet that cannot get through.
  struct Held {
    let number: Int
    let packet: SimulatedPacket
    /// The end that sent it.
    let from: Int
    let firstSent: EventLoop.Instant
  }

  var conditions: LinkConditions
  var isCut = false
  /// When the last packet has left, where the bandwidth is limited.
  var freeAt = EventLoop.Instant(nanoseconds: 0)
  var held: [Held] = []
}
