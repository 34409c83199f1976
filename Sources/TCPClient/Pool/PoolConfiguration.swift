import AsyncSockets

/// How a `ConnectionPool` behaves; every value has a default.
public struct PoolConfiguration: Sendable {
  /// How many connections there may be, those that are being made and closed included; at least 1, 8 by default.
  public var maximumConnections = 8

  /// How many connections to keep ready beyond those that are lent; none by default.
  public var minimumIdle = 0

  /// How long one waits for a connection, unless it says otherwise; 10 s by default, `nil` for no limit.
  public var waitTimeout: Duration? = .seconds(10)

  /// After how much idling connections beyond `minimumIdle` are closed; 60 s by default, `nil` for never.
  public var idleTimeout: Duration? = .seconds(60)

  /// How old a connection may get. It is closed when it idles or is given back after that; `nil`, the default, for no limit.
  public var lifetime: Duration?

  /// After how much idling a connection is checked before it is lent; `nil`, the default, for 30 s. Only for a pool with a
  /// check (`checking`).
  public var checkAfter: Duration?

  /// How long a check may take; `nil`, the default, for 5 s. Only for a pool with a check.
  public var checkTimeout: Duration?

  /// How to connect: time-outs, limits, a proxy, the preparation, the pauses after attempts that failed
  /// (`reconnect`), and which errors are final (`isPermanent`). Health and events are a reconnecting client's own.
  public var client = TCPClient.Configuration()

  /// The defaults.
  ///
  /// - Parameter maximumConnections: how many connections there may be, at least 1.
  public init(atMost maximumConnections: Int = 8) { self.maximumConnections = maximumConnections }

  func validate(hasCheck: Bool) throws(SocketError) {
    try client.validate()
    if !hasCheck, let name = checkAfter != nil ? "checkAfter" : checkTimeout != nil ? "checkTimeout" : nil {
      throw .invalid("\(name) is set, and the pool has no check; give it one (checking:), or leave it nil")
    }
    guard maximumConnections > 0 else {
      throw .invalid("maximumConnections must be at least 1, not \(maximumConnections)")
    }
    guard (0...maximumConnections).contains(minimumIdle) else {
      throw .invalid(
        "minimumIdle must be from 0 to maximumConnections, \(maximumConnections), not \(minimumIdle)")
    }
    let durations = [
      ("waitTimeout", waitTimeout), ("idleTimeout", idleTimeout), ("lifetime", lifetime),
      ("checkAfter", checkAfter), ("checkTimeout", checkTimeout),
    ]
    for (name, duration) in durations {
      if let duration, duration <= .zero {
        throw .invalid("\(name) must be positive, not \(duration.exactly)")
      }
    }
  }
}
