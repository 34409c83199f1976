extension TCPServer {
  /// How a server behaves; every value has a safe default.
  public struct Configuration: Sendable {
    /// How much the server takes on: of connections, and of each. `Limits()` is safe, and `Limits.public` for a server
    /// that anybody can reach.
    public var limits = Limits()

    /// Watermarks and socket options of each connection. Their limits are those of `limits`, by another name.
    public var connection: ConnectionOptions {
      get {
        var options = options
        options.limits = limits.each
        return options
      }
      set {
        options = newValue
        limits.each = newValue.limits
      }
    }

    private var options = ConnectionOptions()

    /// How many connections may wait to be accepted; the system cuts it to its own limit.
    public var backlog = 4096

    /// Whether a process that is out of descriptors resets those who wait to be accepted, by means of one that it holds
    /// in reserve. Off by default: they wait, and are served as soon as a descriptor is free. For clients that have
    /// somewhere else to go, and would rather know at once.
    public var shedsBacklog = false

    /// When a handler is cancelled because of its peer, though it waits for something else; never, by default.
    public var cancelsHandlers = HandlerCancellation.never

    /// Told of everything worth knowing, on whatever thread it happens; it must return quickly. The library
    /// itself prints nothing.
    public var onEvent: (@Sendable (Event) -> Void)?

    /// The defaults.
    public init() {}

    func validate() throws(SocketError) {
      try limits.validate()
      try connection.validate()
      if backlog < 1 { throw .invalid("backlog must be at least 1, but is \(backlog)") }
    }
  }
}
