import AsyncSockets

/// One end of a connection in the simulated network.
struct SimulatedStream {
  enum Phase {
    /// The packet that asks for the connection is on its way.
    case connecting
    case open
    /// Reset, refused or timed out.
    case dead
  }

  /// Both ends of a connection have the same number.
  let connection: Int
  let host: Int
  /// How often the host had crashed by then.
  let crashes: Int
  /// Whether its listener has it, or had it.
  var isOffered = false
  /// Whether it connected, and the port is its own.
  let isInitiator: Bool
  let began: EventLoop.Instant
  let local: SocketAddress
  let remote: SocketAddress
  /// The other end, by its number.
  var peer: Int?
  /// The socket; none before it is accepted, and after it is closed.
  var descriptor: Int32?
  var phase: Phase

  /// What has arrived; read from `firstUnread` on.
  var received: [UInt8] = []
  var firstUnread = 0
  /// Whether the peer's end of stream has arrived.
  var hasEnd = false
  /// What the next call is told, once: `SO_ERROR`.
  var error: Errno?

  /// How many bytes may be under way or unread at the other end.
  let capacity: Int
  /// How many are.
  var outstanding = 0
  /// Whether a write has been refused for want of room.
  var awaitsRoom = false
  var hasSentEnd = false
  var isClosed = false
  /// Whether an end has been set to the attempt to connect.
  var isImpatient = false
  /// When the last packet came.
  var lastHeard = EventLoop.Instant(nanoseconds: 0)
  /// Whether it is looked at for ``probes``.
  var isProbed = false
  /// Probes in a row that were not answered.
  var probes = 0
  /// When the last packet that was sent arrives, in nanoseconds: the next is not to overtake it.
  var lastArrival: Int64 = 0

  var unread: Int { received.count - firstUnread }
  var room: Int { max(0, capacity - outstanding) }
  /// Linux calls a socket writable when a third of its memory is free.
  var isWritable: Bool { room * 3 >= capacity }

  mutating func append(_ bytes: [UInt8]) {
    if firstUnread == received.count {
      received = bytes
      firstUnread = 0
    } else {
      received += bytes
    }
  }

  mutating func take(_ count: Int) -> ArraySlice<UInt8> {
    defer { firstUnread += count }
    return received[firstUnread..<firstUnread + count]
  }
}
