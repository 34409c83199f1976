import AsyncSockets

/// From one host to another.
struct Route: Hashable {
  let from: Int
  let to: Int

  static func bothWays(_ a: Int, _ b: Int) -> [Route] { [Route(from: a, to: b), Route(from: b, to: a)] }
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

  /// By whom a way can be cut: neither heals what the other has cut.
  enum Cause {
    case scenario
    case fault
  }

  /// As the scenario has set them.
  var usual: LinkConditions
  /// Those of a fault, for as long as it lasts.
  var slowed: LinkConditions?
  var cuts: Set<Cause> = []
  /// When the last packet has left, where the bandwidth is limited.
  var freeAt = EventLoop.Instant(nanoseconds: 0)
  var held: [Held] = []

  init(_ conditions: LinkConditions) { usual = conditions }

  var conditions: LinkConditions { slowed ?? usual }
  var isCut: Bool { !cuts.isEmpty }
}
