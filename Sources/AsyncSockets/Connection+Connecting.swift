extension Connection {
  /// Looks up a host's addresses and connects to the first that answers; see `Connector`, whose
  /// `connect(to:port:)` this is.
  ///
  /// ```swift
  /// let connection = try await Connection.connect(to: "example.org", port: 80)
  /// ```
  ///
  /// - Parameters:
  ///   - host: a name or a numeric address.
  ///   - port: from 1 to 65535.
  ///   - deadline: when to give up looking up and connecting, all in all; 10 s by default.
  public static func connect(
    to host: String, port: UInt16, deadline: Deadline = .after(.seconds(10))
  ) async throws -> Connection {
    var connector = Connector()
    connector.deadline = deadline
    return try await connector.connect(to: host, port: port)
  }

  /// Connects to an address; see `Connector.connect(to:)`.
  public static func connect(
    to address: SocketAddress, deadline: Deadline = .after(.seconds(10))
  ) async throws -> Connection {
    var connector = Connector()
    connector.deadline = deadline
    return try await connector.connect(to: address)
  }

  /// The scope of a connection: closes it in good order when `body` returns, and as `close(after:isCancellable:)` says
  /// when it throws.
  package func closing<Result>(after body: (Connection) async throws -> Result) async throws -> Result {
    do {
      let result = try await body(self)
      await close(after: nil, isCancellable: true)
      return result
    } catch {
      await close(after: error)
      throw error
    }
  }
}
