import AsyncSockets

/// What is done for a connection.
enum Service: Sendable {
  typealias Handler = @Sendable (Connection) async throws -> Void

  case open(Handler)
  /// Throws when the connection is not to be served.
  case admitting(@Sendable (Connection) async throws -> Handler)
}
