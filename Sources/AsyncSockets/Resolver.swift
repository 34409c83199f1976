/// Finds the addresses of a host's name.
///
/// The one in the current task's `Environment` is asked by whatever connects to a host by name. Numeric addresses never
/// reach it.
public protocol Resolver: Sendable {
  /// The addresses of a host, the preferred one first.
  ///
  /// - Parameters:
  ///   - host: a name, as the user wrote it.
  ///   - port: the port that the addresses are to have.
  /// - Returns: at least one address.
  /// - Throws: `SocketError.unresolved` when the name has no address. When the task is cancelled it must return or throw
  ///   soon: deadlines end it that way.
  func resolve(_ host: String, port: UInt16) async throws -> [SocketAddress]
}
