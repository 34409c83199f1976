import AsyncSockets

/// One end of a connection in memory that behaves as TCP does over a perfect network: finite buffers, streams that end
/// one by one, resets.
///
/// ```swift
/// let (client, server) = try MemoryTransport.connectedPair(on: loop)
/// ```
///
/// As with a socket, what had arrived before a reset is read first, one call is told of the reset, and those after it
/// meet an end or a broken pipe. A close with bytes unread is a reset to the peer. News comes once for each call that
/// would have blocked, and never without cause; ``FaultyTransport`` around it is less kind.
public final class MemoryTransport: Transport {
  private let wire: MemoryWire
  private let side: MemoryWire.Side

  private init(_ wire: MemoryWire, _ side: MemoryWire.Side) {
    self.wire = wire
    self.side = side
  }

  /// Two ends of one connection.
  ///
  /// - Parameters:
  ///   - capacity: How many bytes each direction holds that were written and not yet read, at least 1.
  ///   - limit: After how many bytes, both directions together, the network resets the connection; `nil` for never.
  public static func pair(
    capacity: Int = 65_536, resetAfter limit: Int? = nil
  ) -> (MemoryTransport, MemoryTransport) {
    let wire = MemoryWire(capacity: max(1, capacity), resetAfter: limit)
    return (MemoryTransport(wire, .first), MemoryTransport(wire, .second))
  }

  /// Two connections, joined in memory.
  ///
  /// - Parameters:
  ///   - loop: Serves both.
  ///   - capacity: How many bytes each direction holds beside what the connections queue, at least 1.
  ///   - faults: What goes wrong at either end; nothing by default.
  ///   - limit: After how many bytes, both directions together, the network resets the connection; `nil` for never.
  ///   - options: Limits and watermarks of both.
  /// - Throws: `SocketError.invalid` for options that cannot work.
  public static func connectedPair(
    on loop: EventLoop, capacity: Int = 65_536, faults: TransportFaults? = nil,
    resetAfter limit: Int? = nil, options: ConnectionOptions = ConnectionOptions()
  ) throws(SocketError) -> (Connection, Connection) {
    guard capacity > 0 else { throw .invalid("a transport in memory holds at least 1 byte, not \(capacity)") }
    let (first, second) = pair(capacity: capacity, resetAfter: limit)
    guard let faults else {
      return (
        try Connection(over: first, on: loop, options: options),
        try Connection(over: second, on: loop, options: options)
      )
    }
    // The ends differ, and a seed still says everything.
    var others = faults
    others.seed = ~faults.seed
    return (
      try Connection(over: FaultyTransport(over: first, faults), on: loop, options: options),
      try Connection(over: FaultyTransport(over: second, others), on: loop, options: options)
    )
  }

  /// Takes what has arrived.
  public func read(into buffer: inout MutableRawSpan) -> TransportResult {
    wire.read(at: side, into: &buffer)
  }

  /// Sends as much as the buffer has room for.
  public func write(_ bytes: RawSpan) -> TransportResult { wire.write(at: side, bytes) }

  /// Ends the outgoing stream.
  public func shutdownWrite() -> TransportResult { wire.shutdownWrite(at: side) }

  /// Ends both streams, or resets the connection.
  public func close(abortively: Bool) { wire.close(side, abortively: abortively) }

  /// How many bytes wait to be read.
  public var unreadBytes: Int { wire.unreadBytes(at: side) }

  /// Tells this one from here on.
  public func notifyReadiness(_ notify: @escaping @Sendable (TransportReadiness) -> Void) {
    wire.notifyReadiness(at: side, notify)
  }
}
