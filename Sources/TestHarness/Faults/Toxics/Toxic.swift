import AsyncSockets

/// What one fault does in one direction of one connection: a pure state machine, which is asked again when something has
/// come, when a time has come, and when what it let go has made room.
protocol Toxic: Sendable {
  /// How many bytes it holds before its sender has to wait; 64 KiB by default.
  var capacity: Int { get }

  /// When it ends the whole connection, whatever is on its way, and how.
  var doom: (at: EventLoop.Instant, end: Severance)? { get }

  /// Lets the next parcel go that may, or says when there will be one.
  mutating func next(_ held: inout ParcelQueue, at now: EventLoop.Instant) -> ToxicStep
}

extension Toxic {
  var capacity: Int { 65_536 }
  var doom: (at: EventLoop.Instant, end: Severance)? { nil }
}

/// What a toxic does next.
enum ToxicStep: Equatable {
  case pass(Parcel)
  /// Nothing until then, or, without a time, until something comes.
  case wait(until: EventLoop.Instant?)
}

/// How a connection through a proxy ends, for both of its sides.
enum Severance { case close, reset }
