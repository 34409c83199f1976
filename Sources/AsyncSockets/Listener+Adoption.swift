extension Listener {
  /// Takes over a socket that listens already: inherited, received from another process, or made with options of your
  /// own.
  ///
  /// The listener owns the descriptor from here on and closes it; when this throws, it is still yours. It becomes
  /// nonblocking (for all who share its open file) and close-on-exec. The file of a Unix socket stays where it is.
  ///
  /// - Parameters:
  ///   - descriptor: a listening TCP or Unix stream socket.
  ///   - loop: the loop that watches the listener.
  /// - Throws: `SocketError.invalid`, which says what the descriptor is instead; `.failed` with the errno;
  ///   `.loopStopped`.
  public static func adopt(_ descriptor: Int32, on loop: EventLoop) throws(SocketError) -> Listener {
    try loop.core.checkIsRunning()
    let kernel = loop.core.kernel
    let address = try kernel.prepareAdoption(of: descriptor, as: .listening)
    if !address.isUnix {
      try SocketOption.noDelay().apply(to: descriptor, kernel: kernel, address: address)
    }
    let core = ListenerCore(
      descriptor: Descriptor(owning: descriptor, of: kernel.descriptors), address: address, isOwn: false,
      loop: loop.core)
    loop.core.perform(.register(core))
    return Listener(core: core, address: address)
  }
}

extension Connection {
  /// Takes over a socket that is connected already, such as one of socketpair(2).
  ///
  /// The connection owns the descriptor from here on and closes it; when this throws, it is still yours. It becomes
  /// nonblocking (for all who share its open file) and close-on-exec.
  ///
  /// - Parameters:
  ///   - descriptor: a connected TCP or Unix stream socket.
  ///   - loop: the loop that serves the connection.
  ///   - options: limits, watermarks and socket options.
  /// - Throws: `SocketError.invalid`, which says what the descriptor is instead, or which option cannot work;
  ///   `.failed` with the errno; `.loopStopped`.
  public static func adopt(
    _ descriptor: Int32, on loop: EventLoop, options: ConnectionOptions = ConnectionOptions()
  ) throws(SocketError) -> Connection {
    try options.validate()
    try loop.core.checkIsRunning()
    let kernel = loop.core.kernel
    let local = try kernel.prepareAdoption(of: descriptor, as: .connected)
    let peer = kernel.peerAddress(descriptor)
    for option in (local.isUnix ? [] : [.noDelay()]) + options.socketOptions {
      try option.apply(to: descriptor, kernel: kernel, address: peer)
    }
    let core = ConnectionCore(
      endpoint: .socket(Descriptor(owning: descriptor, of: kernel.descriptors)), loop: loop,
      peerAddress: peer,
      settings: ConnectionSettings(options: options, localAddress: local))
    core.start()
    return Connection(core)
  }
}
