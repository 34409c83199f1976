extension TCPClient {
  /// How a client behaves; every value has a safe default.
  public struct Configuration: Sendable {
    /// Pauses between attempts, and when to give up.
    public var reconnect = ReconnectPolicy()

    /// What proves that a connection is healthy, after which pauses begin from the shortest again; by default that the
    /// server has been heard of. A connection that merely stands proves little: a server that is overloaded, or a proxy in
    /// front of one that is down, accepts and closes.
    public var health = HealthProof.input

    /// How long looking up, connecting and `preparing` may take, all in all; 10 s by default, `nil` for no limit.
    public var connectTimeout: Duration? = .seconds(10)

    /// Watermarks, limits and socket options of each connection: `limits.idle` and `limits.writeStall`,
    /// `.keepAlive(…)`, `.userTimeout(…)`.
    public var connection = ConnectionOptions()

    /// Where connections come from; the system chooses by default. With port 0 it chooses the port.
    public var localAddress: SocketAddress?

    /// Who connects in the client's stead; `nil`, the default, for nobody. The proxy looks up the names of targets.
    public var proxy: Proxy?

    /// How long one address of a host is tried alone before the next is tried beside it; see `Connector.attemptDelay`.
    public var attemptDelay = Duration.milliseconds(250)

    /// Called with each connection before it counts: to go on over another transport (`Connection.upgrade`), to
    /// log in, to look who it is. What it throws is the outcome of the attempt, and the connection is closed.
    public var preparing: (@Sendable (Connection) async throws -> Void)?

    /// Whether trying again would not help after an error, so that `run` throws it; `TCPClient.isPermanent(_:)` unless
    /// set.
    public var isPermanent: @Sendable (any Error) -> Bool = { TCPClient.isPermanent($0) }

    /// Told of everything worth knowing, on whatever thread it happens; it must return quickly. The library
    /// itself prints nothing.
    public var onEvent: (@Sendable (Event) -> Void)?

    /// The defaults.
    public init() {}

    func validate() throws(SocketError) {
      try reconnect.validate()
      try health.validate()
      var connector = Connector()
      connector.options = connection
      connector.localAddress = localAddress
      connector.attemptDelay = attemptDelay
      try connector.validate()
      try proxy?.validate()
      if let connectTimeout, connectTimeout <= .zero {
        throw .invalid("connectTimeout must be positive, not \(connectTimeout.exactly); nil for no limit")
      }
    }
  }

  /// What proves that a connection is healthy.
  ///
  /// `TCPClient.markHealthy()` is a proof, whatever is chosen.
  public enum HealthProof: Hashable, Sendable {
    /// Input: the first whole frame that is read, or of a connection without framing the first bytes. What `preparing`
    /// and a proxy's handshake have read does not count; what they have left does.
    case input
    /// The connection has stood for so long.
    case age(Duration)
    /// The connection stands, and `Configuration.preparing` has returned.
    case connected
    /// `TCPClient.markHealthy()` alone.
    case marked

    func validate() throws(SocketError) {
      if case .age(let age) = self, age <= .zero {
        throw .invalid("health: the age must be positive, not \(age.exactly); .connected needs none")
      }
    }
  }
}
