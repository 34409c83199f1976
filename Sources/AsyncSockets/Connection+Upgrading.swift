import Framing

extension Connection {
  /// Goes on over another transport, which works on top of the one that carries the connection now: TLS, at the start
  /// of a connection or after a command such as STARTTLS.
  ///
  /// What was sent before leaves first, as it is; what is sent afterwards goes through the new transport, and everything
  /// that is read comes through it. The connection stays the same: its limits, its handles and framed connections on top
  /// of it go on.
  ///
  /// ```swift
  /// try await connection.send("220 ready for TLS\r\n")
  /// try await connection.upgrade { TLSTransport(over: $0, as: .server) }
  /// ```
  ///
  /// - Parameter wrap: makes the new transport on top of the present one. That one carries bytes only once this
  ///   function has returned, and would block until then; the new one closes it when it is closed itself.
  /// - Throws: `SocketError.unreadBytes` when bytes were received in the clear that nobody has read. Whoever put them
  ///   there, they must not be taken for what the new transport protects; `takeLeftovers()` drops them knowingly.
  ///   `.busy` while a task reads; as `flush()`; what `wrap` throws. The connection goes on as it was then.
  public func upgrade(_ wrap: (_ lower: any Transport) throws -> any Transport) async throws {
    try core.reading.claim(for: "upgrade")
    defer { core.reading.release() }
    try core.checkNothingIsUnread()
    let lower = LowerTransport(loop: core.core)
    let upgraded = UpgradedTransport(try wrap(lower), over: lower)
    repeat { try await core.flush() } while try !core.carry(by: upgraded, over: lower)
    core.loans?.spoilIfLent()
  }
}

extension ConnectionCore {
  fileprivate func checkNothingIsUnread() throws(SocketError) {
    let count = reading.contents.buffer.count
    if count > 0 { throw .unreadBytes(count) }
  }

  /// Exchanges the transport, unless somebody has sent something more.
  fileprivate func carry(by upgraded: UpgradedTransport, over lower: LowerTransport) throws(SocketError)
    -> Bool
  {
    let isDone = try state.withLock { state throws(SocketError) -> Bool in
      if let failure = state.failure { throw failure }
      guard state.phase == .open else { throw .closed }
      guard state.outgoing == .open else { throw .finishedWriting }
      guard state.output.isEmpty else { return false }
      var endpoint = Endpoint.custom(upgraded)
      swap(&endpoint, &state.endpoint)
      lower.carry(endpoint)
      state.readiness = Readiness()
      return true
    }
    guard isDone else { return false }
    reading.contents.isDry = false
    listen(to: upgraded)
    return true
  }
}
