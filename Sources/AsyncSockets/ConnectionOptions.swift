/// How a connection behaves; every value has a safe default.
public struct ConnectionOptions: Hashable, Sendable {
  /// When senders wait; 64 KiB and 32 KiB by default.
  public var watermarks = Watermarks.standard

  /// The connection ends when no byte moved either way for this long while somebody waited for the peer; a
  /// handler that computes is not idle. Off (`nil`) by default.
  public var idleLimit: Duration?

  /// The connection ends when output waits and the peer takes none of it for this long; 30 s by default, `nil`
  /// for no limit.
  public var writeStallLimit: Duration? = .seconds(30)

  /// Options of the connection's socket, set in this order before it connects or when it is accepted; none by
  /// default (`noDelay` is on without).
  public var socketOptions: [SocketOption] = []

  /// The defaults.
  public init() {}

  package func validate() throws(SocketError) {
    for (name, limit) in [("idleLimit", idleLimit), ("writeStallLimit", writeStallLimit)] {
      if let limit, limit <= .zero {
        throw .invalid("\(name) must be positive, not \(limit.exactly); nil turns it off")
      }
    }
    for option in socketOptions { try option.validate() }
  }
}
