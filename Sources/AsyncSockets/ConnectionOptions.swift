/// How a connection behaves; every value has a safe default.
public struct ConnectionOptions: Hashable, Sendable {
  /// When senders wait; 64 KiB and 32 KiB by default.
  public var watermarks = Watermarks.standard

  /// How long the connection puts up with its peer; by default 30 s with output that it does not take.
  public var limits = ConnectionLimits()

  /// Options of the connection's socket, set in this order before it connects or when it is accepted; none by
  /// default (`noDelay` is on without).
  public var socketOptions: [SocketOption] = []

  /// The defaults.
  public init() {}

  package func validate() throws(SocketError) {
    try limits.validate()
    for option in socketOptions { try option.validate() }
  }
}
