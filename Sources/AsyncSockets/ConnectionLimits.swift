/// How long a connection puts up with its peer; `nil` turns a limit off.
///
/// Reaching one ends the connection by a reset: whoever uses it is told `SocketError.limit`, and its `CloseReason` is
/// `.limit`. All of them cost a time stamp or a comparison a message, and none a timer.
public struct ConnectionLimits: Hashable, Sendable {
  /// From the beginning of the connection until its first byte has been read; it ends while somebody waits for input.
  /// Off by default.
  public var firstByte: Duration?

  /// From the first byte of a message to its last, however steadily bytes come meanwhile: a peer that sends one byte
  /// at a time cannot hold a connection. It ends while somebody waits for the rest. Off by default.
  ///
  /// A message is what a codec makes a frame of, or what `read(exactly:)`, `read(until:)` and the like return. Chunks
  /// are no messages, since they have no beginning that anybody could know: for those there are `firstByte` and `idle`.
  public var message: Duration?

  /// How fast a message has to come, once it has begun. Off by default.
  public var minimumRate: MinimumRate?

  /// No byte moved either way for this long while somebody waited for the peer; a handler that computes is not idle.
  /// Off by default.
  public var idle: Duration?

  /// Output waited and the peer took none of it for this long; 30 s by default.
  public var writeStall: Duration? = .seconds(30)

  /// The defaults: `writeStall` alone.
  public init() {}

  /// - Throws: `SocketError.invalid`, which names the value and says what to change.
  package func validate() throws(SocketError) {
    let durations = [
      ("firstByte", firstByte), ("message", message), ("idle", idle), ("writeStall", writeStall),
    ]
    for (name, limit) in durations {
      if let limit, limit <= .zero {
        throw .invalid("limits.\(name) must be positive, not \(limit.exactly); nil turns it off")
      }
    }
    try minimumRate?.validate()
  }
}

/// How many bytes of a message have to come in each period of time, counted from its first byte.
public struct MinimumRate: Hashable, Sendable {
  /// Bytes per second, at least 1.
  public var bytesPerSecond: Int
  /// Over how long they are counted: a peer may pause for nearly twice as long if it hurries before and after.
  public var period: Duration

  /// So many bytes per second, counted over 5 s or another period.
  public init(bytesPerSecond: Int, over period: Duration = .seconds(5)) {
    self.bytesPerSecond = bytesPerSecond
    self.period = period
  }

  /// How many bytes a period needs, at least 1.
  var bytesPerPeriod: UInt64 {
    let bytes = period / .seconds(1) * Double(bytesPerSecond)
    return UInt64(exactly: bytes.rounded(.up)) ?? .max
  }

  fileprivate func validate() throws(SocketError) {
    if bytesPerSecond < 1 {
      throw .invalid(
        "limits.minimumRate must be at least 1 byte per second, not \(bytesPerSecond); nil turns it off")
    }
    if period <= .zero {
      throw .invalid("limits.minimumRate must be counted over a positive period, not \(period.exactly)")
    }
  }
}
