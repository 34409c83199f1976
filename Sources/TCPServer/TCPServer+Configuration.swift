extension TCPServer {
  /// How a server behaves; every value has a safe default.
  public struct Configuration: Sendable {
    /// Limits and watermarks of each connection.
    public var connection = ConnectionOptions()

    /// How many connections are served at once; who comes later waits in the kernel's queue. By default what the
    /// process's limit of descriptors leaves after 128 others; 0 serves nobody.
    public var maximumConnections = defaultMaximumConnections

    /// How many connections may wait to be accepted; the system cuts it to its own limit.
    public var backlog = 4096

    /// Told of everything worth knowing, on whatever thread it happens; it must return quickly. The library
    /// itself prints nothing.
    public var onEvent: (@Sendable (Event) -> Void)?

    /// The defaults.
    public init() {}

    /// `RLIMIT_NOFILE` less 128, and at least half of it.
    public static var defaultMaximumConnections: Int {
      max(DescriptorLimit.current / 2, DescriptorLimit.current - 128)
    }

    func validate() throws(SocketError) {
      try connection.validate()
      if maximumConnections < 0 {
        throw .invalid("maximumConnections must not be negative, but is \(maximumConnections)")
      }
      if backlog < 1 { throw .invalid("backlog must be at least 1, but is \(backlog)") }
    }
  }
}
