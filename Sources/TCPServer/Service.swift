import AsyncSockets

/// What is done for a connection.
enum Service: Sendable {
  /// At once.
  case open(Work)
  /// Throws when the connection is not to be served.
  case admitting(@Sendable (Connection) async throws -> Work)

  /// How a connection is served.
  enum Work: Sendable {
    /// In a child task.
    case task(@Sendable (Connection) async throws -> Void)
    /// By a driver on its loop, which is to know it by its place in the roster.
    case driver(@Sendable (Connection.Handle, _ place: Int) throws -> ConnectionDriver)
  }
}
