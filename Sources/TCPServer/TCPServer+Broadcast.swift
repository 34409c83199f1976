import AsyncSockets
import Framing

extension TCPServer {
  /// Sends one message to every connection that is being served, whatever its handler does: a notice to all. For rooms
  /// that connections join and leave, see `Broadcast`.
  ///
  /// ```swift
  /// try await server.broadcast("the server restarts in a minute", framing: LineFraming())
  /// ```
  ///
  /// - Parameters:
  ///   - message: encoded once.
  ///   - framing: what the connections speak.
  ///   - slowConsumers: what is done about those who are too slow; by default they do not get it. `dropOldest` is for a
  ///     `Broadcast`, which has a place to keep messages in.
  /// - Returns: the addresses of those who got it, and of those who did not.
  /// - Throws: `FramingError` when the message cannot be encoded, `SocketError.invalid` for `dropOldest`; then nobody gets
  ///   it.
  @discardableResult
  public func broadcast<F: Framing>(
    _ message: F.Encoder.Frame, framing: F, slowConsumers: SlowConsumerPolicy = .dropNewest
  ) async throws -> Delivery<SocketAddress?> {
    var bytes: [UInt8] = []
    var encoder = framing.makeEncoder()
    try encoder.encode(message, into: &bytes)
    return try await broadcast(bytes, slowConsumers: slowConsumers)
  }

  /// Sends the same bytes to every connection that is being served; see `broadcast(_:framing:slowConsumers:)`. Between
  /// two messages of a connection's handler, never inside of one.
  @discardableResult
  public func broadcast(
    _ bytes: [UInt8], slowConsumers: SlowConsumerPolicy = .dropNewest
  ) async throws(SocketError) -> Delivery<SocketAddress?> {
    if slowConsumers.keepsMessages {
      throw .invalid(
        "a server keeps no messages for its connections: for dropOldest, join them to a Broadcast")
    }
    return await slowConsumers.deliver(bytes, to: roster.living)
  }
}
