// What else can be sent; each keeps the contract of `send(_:)`.

extension Connection {
  /// Sends several pieces as one: whole, or not at all, and with nothing of others between them.
  ///
  /// ```swift
  /// try await connection.send(contentsOf: [header, body])
  /// ```
  ///
  /// Large pieces go to the kernel from where they are, in one call (sendmsg(2)), unless something is queued before
  /// them; so this saves the copy that `header + body` would be.
  ///
  /// - Parameter parts: in the order in which they go; some or all may be empty.
  /// - Throws: as `send(_:)`.
  public func send(contentsOf parts: [[UInt8]]) async throws {
    try await core.send { holdsTurn in try core.trySend(gathering: parts, holdsTurn: holdsTurn) }
  }

  /// Sends an integer, most significant byte first unless said otherwise.
  ///
  /// ```swift
  /// try await connection.send(443, as: UInt16.self)
  /// try await connection.send(-1, as: Int32.self, .little)
  /// ```
  ///
  /// To send one together with what follows it, gather: `send(contentsOf: [ByteOrder.big.bytes(of: length), body])`.
  ///
  /// - Parameters:
  ///   - value: what to send.
  ///   - type: how wide it is on the wire.
  ///   - order: which of its bytes goes first.
  /// - Throws: as `send(_:)`.
  public func send<Integer: FixedWidthInteger>(
    _ value: Integer, as type: Integer.Type, _ order: ByteOrder = .big
  ) async throws {
    try await send(order.bytes(of: value))
  }
}
