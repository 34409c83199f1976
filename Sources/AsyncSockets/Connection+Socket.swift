// What can be asked of the socket under a connection, and told to it.

extension Connection {
  /// Sets an option of the connection's socket.
  ///
  /// - Throws: `SocketError.invalid` for a value that cannot work, or when the transport is no socket;
  ///   `.failed` with the errno when the system refuses; `.closed`.
  public func set(_ option: SocketOption) throws(SocketError) {
    try option.validate()
    try withSocket { descriptor throws(SocketError) in
      try option.apply(to: descriptor, kernel: core.core.kernel, address: peerAddress)
    }
    core.loans?.spoilIfLent()
  }

  /// The value of an option of the connection's socket.
  ///
  /// - Throws: as `set(_:)`.
  public func value<Value>(of key: SocketOption.Key<Value>) throws(SocketError) -> Value {
    try withSocket { descriptor throws(SocketError) in
      let call = "getsockopt(\(key.label))"
      return key.value(
        try core.core.kernel.integerOption(
          descriptor, level: key.level, name: key.name, call: call, address: peerAddress))
    }
  }

  /// Who is at the other end of a Unix socket; `nil` for a connection over anything else.
  ///
  /// - Throws: `SocketError.closed`; `.failed` with the errno.
  public func peerCredentials() throws(SocketError) -> PeerCredentials? {
    guard core.isSocket, isUnix else { return try noneUnlessClosed() }
    return try withSocket { descriptor throws(SocketError) in
      try core.core.kernel.credentials(ofPeer: descriptor, address: peerAddress)
    }
  }

  /// What the kernel knows of the path of a TCP connection; `nil` for a Unix socket or a transport of your own.
  ///
  /// - Throws: `SocketError.closed`; `.failed` with the errno.
  public func tcpInfo() throws(SocketError) -> TCPInfo? {
    guard core.isSocket, !isUnix else { return try noneUnlessClosed() }
    return try withSocket { descriptor throws(SocketError) in
      try core.core.kernel.tcpInfo(descriptor, address: peerAddress)
    }
  }

  private func withSocket<Value>(
    _ body: (Int32) throws(SocketError) -> Value
  ) throws(SocketError) -> Value {
    let result = core.withDescriptor { descriptor in
      Result { () throws(SocketError) in try body(descriptor) }
    }
    if let result { return try result.get() }
    if core.isSocket { throw closeError }
    throw .invalid("the connection is carried by a transport that is no socket, and has no socket options")
  }

  private func noneUnlessClosed<Value>() throws(SocketError) -> Value? {
    try core.checkIsNotOver()
    return nil
  }

  private var isUnix: Bool { (peerAddress ?? localAddress)?.isUnix ?? false }

  private var closeError: SocketError { core.state.withLock { $0.failure } ?? .closed }
}

extension ConnectionCore {
  /// Also once it is closed.
  var isSocket: Bool {
    state.withLock { $0.endpoint.customTransport == nil || $0.endpoint.descriptorNumber != nil }
  }
}
