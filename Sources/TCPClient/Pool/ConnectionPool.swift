public import AsyncSockets
public import Framing

/// Connections to one server that are used again: lent to one task at a time, at most so many, first come first served.
///
/// ```swift
/// let pool = try ConnectionPool(to: "cache.internal", port: 6379, framing: .lines)
/// try await pool.run {
///   let answer = try await pool.withConnection { try await $0.request("PING") }
///   print(answer)
/// }
/// ```
///
/// A session is what is lent: a connection, a framed connection, or what you make of one when it has been connected, such as a
/// client that has logged in. Connections are made when somebody asks and none is free.
///
/// An attempt that fails is repeated after a pause (`TCPClient.Configuration.reconnect`), by one attempt at a time
/// until one succeeds. Who waits goes on waiting meanwhile, in turn, up to its own deadline, whose error says why the
/// last attempt failed; a connection that is given back is lent on. After an error that trying again would not help,
/// and when the policy gives up, all who wait are told that error, unless connections are in use, which may yet be given
/// back. Whoever asks later makes the pool try again.
public final class ConnectionPool<Session: Sendable>: Sendable {
  typealias Opened = PooledConnection<Session>
  typealias Opening = @Sendable (Connection) async throws -> Session
  typealias Check = @Sendable (Session) async throws -> Void

  /// To whom it connects.
  public let target: TCPClient.Target
  /// The values it was made with.
  public let configuration: PoolConfiguration
  let opening: Opening
  let check: Check?
  let environment: Environment
  let loops: EventLoopGroup
  let random: RandomSource
  let desk: Lock<Desk>

  /// A pool of sessions of one's own.
  ///
  /// - Parameters:
  ///   - target: the server.
  ///   - configuration: how many connections, and for how long.
  ///   - environment: the event loops and the resolver; the current task's by default.
  ///   - opening: makes the session of a new connection, within `connectTimeout`: reads the greeting of a server that
  ///     speaks first, logs in. What it throws is the outcome of the attempt, and the connection is closed. What it leaves
  ///     unread is for the first borrower.
  ///   - checking: throws if a session that has idled for `PoolConfiguration.checkAfter` is not fit to be lent.
  /// - Throws: `SocketError.invalid` for values that cannot work, `.failed` when event loops cannot be started.
  public init(
    to target: TCPClient.Target, configuration: PoolConfiguration = PoolConfiguration(),
    environment: Environment = .current, opening: @escaping @Sendable (Connection) async throws -> Session,
    checking: (@Sendable (Session) async throws -> Void)? = nil
  ) throws(SocketError) {
    try target.validate()
    try configuration.validate(hasCheck: checking != nil)
    self.target = target
    self.configuration = configuration
    self.environment = environment
    loops = try environment.loops
    random = environment.random
    self.opening = opening
    check = checking
    let rules = PoolRules(
      maximum: configuration.maximumConnections, minimumIdle: configuration.minimumIdle,
      idleTimeout: configuration.idleTimeout, lifetime: configuration.lifetime,
      checkAfter: checking == nil ? nil : configuration.checkAfter ?? .seconds(30))
    desk = Lock(Desk(state: PoolState(rules, reconnect: configuration.client.reconnect)))
  }

  /// What the pool is doing.
  public var snapshot: PoolSnapshot {
    desk.withLock { desk in
      var counts = desk.state.members.counts
      counts.waiting = desk.state.waiters.count
      return PoolSnapshot(
        counts: counts, maximum: configuration.maximumConnections, isRunning: desk.isRunning,
        lastFailure: desk.lastFailure)
    }
  }
}

extension ConnectionPool {
  /// A pool of connections with a codec.
  ///
  /// - Parameters:
  ///   - host: a name or a numeric address.
  ///   - port: from 1 to 65535.
  ///   - framing: the codec. A body that goes on with another closes the connection.
  ///   - configuration: how many connections, and for how long.
  ///   - environment: the event loops and the resolver; the current task's by default.
  ///   - checking: throws if a connection that has idled for `checkAfter` is not fit to be lent.
  /// - Throws: `SocketError.invalid` for values that cannot work.
  public convenience init<F: Framing>(
    to host: String, port: UInt16, framing: F, configuration: PoolConfiguration = PoolConfiguration(),
    environment: Environment = .current,
    checking: (@Sendable (FramedConnection<F>) async throws -> Void)? = nil
  ) throws(SocketError) where Session == FramedConnection<F> {
    try self.init(
      to: .host(host, port: port), configuration: configuration, environment: environment,
      opening: { $0.framed(framing) }, checking: checking)
  }

  /// A pool of connections with a codec to the server at an address; see
  /// `init(to:port:framing:configuration:environment:checking:)`.
  public convenience init<F: Framing>(
    to address: SocketAddress, framing: F, configuration: PoolConfiguration = PoolConfiguration(),
    environment: Environment = .current,
    checking: (@Sendable (FramedConnection<F>) async throws -> Void)? = nil
  ) throws(SocketError) where Session == FramedConnection<F> {
    try self.init(
      to: .address(address), configuration: configuration, environment: environment,
      opening: { $0.framed(framing) }, checking: checking)
  }

  /// A pool of connections of raw bytes to the server at an address; see
  /// `init(to:port:framing:configuration:environment:checking:)`.
  public convenience init(
    to address: SocketAddress, configuration: PoolConfiguration = PoolConfiguration(),
    environment: Environment = .current, checking: (@Sendable (Connection) async throws -> Void)? = nil
  ) throws(SocketError) where Session == Connection {
    try self.init(
      to: .address(address), configuration: configuration, environment: environment,
      opening: { $0 }, checking: checking)
  }

  /// A pool of connections of raw bytes; see `init(to:port:framing:configuration:environment:checking:)`.
  public convenience init(
    to host: String, port: UInt16, configuration: PoolConfiguration = PoolConfiguration(),
    environment: Environment = .current, checking: (@Sendable (Connection) async throws -> Void)? = nil
  ) throws(SocketError) where Session == Connection {
    try self.init(
      to: .host(host, port: port), configuration: configuration, environment: environment,
      opening: { $0 }, checking: checking)
  }
}
