extension TCPClient {
  /// Connects to somebody else, at once: the connection that stands ends (its output is flushed for at most a second, its
  /// closure is cancelled, its `CloseReason` is `.retargeted`), an attempt or pause that is under way is cut short, and
  /// what comes next is the first attempt of a new row.
  ///
  /// May be called at any time and by anybody; a client that does not run yet connects there when it does.
  ///
  /// - Throws: `SocketError.invalid` for targets that cannot work; the client goes on with those that it has.
  public func retarget(to targets: [Target]) throws(SocketError) {
    let interruption = try state.withLock { state throws(SocketError) in try state.retarget(to: targets) }
    tell(.retargeted(targets))
    interruption?.open()
  }

  /// Connects to another server; see `retarget(to:)`.
  public func retarget(to host: String, port: UInt16) throws(SocketError) {
    try retarget(to: [.host(host, port: port)])
  }

  /// Connects to another address; see `retarget(to:)`.
  public func retarget(to address: SocketAddress) throws(SocketError) {
    try retarget(to: [.address(address)])
  }
}
