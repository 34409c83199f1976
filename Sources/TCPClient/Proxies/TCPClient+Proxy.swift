extension TCPClient {
  /// Connects once, through a proxy that looks up the name. Whoever calls this closes the connection.
  ///
  /// ```swift
  /// let connection = try await TCPClient.connect(
  ///   to: "internal.example", port: 5432, through: .socks5("127.0.0.1", port: 1080))
  /// ```
  ///
  /// A client that stays connected takes the proxy as `Configuration.proxy`.
  ///
  /// - Parameters:
  ///   - host: a name or a numeric address, without brackets.
  ///   - port: from 1 to 65535.
  ///   - proxy: who is to connect.
  ///   - configuration: time-outs, limits and the preparation; its own proxy is not looked at.
  /// - Throws: as `Connector.connect(to:port:through:)`; what `Configuration.preparing` throws. Nothing stays open then.
  public static func connect(
    to host: String, port: UInt16, through proxy: Proxy, configuration: Configuration = Configuration(),
    environment: Environment = .current
  ) async throws -> Connection {
    var configuration = configuration
    configuration.proxy = proxy
    return try await connect(
      to: .host(host, port: port), configuration: configuration, environment: environment)
  }
}
