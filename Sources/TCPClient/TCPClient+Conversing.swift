// One conversation, without reconnecting.

extension TCPClient {
  /// Connects, enters `body` with the connection, and closes it when `body` is left: in good order when it returns; by an
  /// error or a cancellation it flushes for at most a second, then resets.
  ///
  /// ```swift
  /// let banner = try await TCPClient.withConnection(to: "mail.example", port: 25, framing: .lines) {
  ///   try await $0.next()
  /// }
  /// ```
  ///
  /// - Parameters:
  ///   - host: a name or a numeric address.
  ///   - port: from 1 to 65535.
  ///   - framing: the codec.
  ///   - configuration: time-outs, limits and the preparation; what concerns reconnecting and events is not looked at.
  ///   - body: the conversation.
  /// - Returns: what `body` returns.
  /// - Throws: what `body` throws, or what `connect(to:configuration:environment:)` does.
  public static func withConnection<F: Framing, Value>(
    to host: String, port: UInt16, framing: F, configuration: Configuration = Configuration(),
    _ body: (FramedConnection<F>) async throws -> Value
  ) async throws -> Value {
    try await connect(to: .host(host, port: port), configuration: configuration)
      .closing(after: { try await body($0.framed(framing)) })
  }

  /// A conversation of raw bytes; see `withConnection(to:port:framing:configuration:_:)`.
  public static func withConnection<Value>(
    to host: String, port: UInt16, configuration: Configuration = Configuration(),
    _ body: (Connection) async throws -> Value
  ) async throws -> Value {
    try await connect(to: .host(host, port: port), configuration: configuration).closing(after: body)
  }

  /// A conversation with the server at an address; see `withConnection(to:port:framing:configuration:_:)`.
  public static func withConnection<F: Framing, Value>(
    to address: SocketAddress, framing: F, configuration: Configuration = Configuration(),
    _ body: (FramedConnection<F>) async throws -> Value
  ) async throws -> Value {
    try await connect(to: .address(address), configuration: configuration)
      .closing(after: { try await body($0.framed(framing)) })
  }

  /// A conversation of raw bytes with the server at an address; see
  /// `withConnection(to:port:framing:configuration:_:)`.
  public static func withConnection<Value>(
    to address: SocketAddress, configuration: Configuration = Configuration(),
    _ body: (Connection) async throws -> Value
  ) async throws -> Value {
    try await connect(to: .address(address), configuration: configuration).closing(after: body)
  }

  /// Connects once, and prepares the connection as the configuration says. Whoever calls this closes it.
  ///
  /// - Throws: as `Connector.connect(to:port:)`; what `Configuration.preparing` throws. Nothing stays open then.
  public static func connect(
    to target: Target, configuration: Configuration = Configuration(), environment: Environment = .current
  ) async throws -> Connection {
    try await Dialer(configuration: configuration, environment: environment).connect(to: target)
  }
}
