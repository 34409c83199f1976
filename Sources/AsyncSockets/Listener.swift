/// A socket that listens, and the connections that come to it.
///
/// It listens from the moment `bind` returns, and closes with `close()` or with the last reference to it.
public final class Listener: Sendable {
  /// The address it listens on, with the port that the system chose if 0 was asked for.
  public let address: SocketAddress

  private let core: ListenerCore
  private let lastSettings = Lock<ConnectionSettings?>(nil)

  private init(core: ListenerCore, address: SocketAddress) {
    self.core = core
    self.address = address
  }

  deinit {
    core.close()
  }

  /// Listens on an address.
  ///
  /// `SO_REUSEADDR` is set, so that a restarted server gets its port back at once; a second live listener on the
  /// same address is refused all the same. Accepted connections have `TCP_NODELAY` set.
  ///
  /// - Parameters:
  ///   - address: where; port 0 lets the system choose.
  ///   - loop: the loop that watches the listener.
  ///   - backlog: how many connections may wait to be accepted; the system cuts it to its own limit.
  /// - Throws: `SocketError.failed` with the errno and the address (`EADDRINUSE`, `EACCES` …);
  ///   `SocketError.invalid` for an address that no socket can have.
  public static func bind(
    to address: SocketAddress, on loop: EventLoop, backlog: Int = 4096
  ) throws(SocketError) -> Listener {
    try address.validate()
    guard backlog > 0 else { throw .invalid("the backlog must be at least 1, not \(backlog)") }
    let kernel = loop.core.kernel
    let descriptor = Descriptor(
      owning: Int32(try check("socket", address, kernel.socket(family: address.family))))
    for option in SocketOption.ofListeners(address) {
      let result = kernel.setOption(
        descriptor.number, level: option.level, name: option.name, value: option.value)
      _ = try check("setsockopt", address, result)
    }
    _ = try check("bind", address, kernel.bind(descriptor.number, to: address))
    var unlinkPath = address.path
    defer { if let unlinkPath { kernel.unlink(unlinkPath) } }
    let backlog = Int32(clamping: backlog)
    _ = try check("listen", address, kernel.listen(descriptor.number, backlog: backlog))
    guard let bound = kernel.localAddress(descriptor.number) else {
      throw .failed(.badDescriptor, call: "getsockname", address: address)
    }
    unlinkPath = nil
    let core = ListenerCore(descriptor: descriptor, address: bound, loop: loop.core)
    loop.core.perform(.register(core))
    return Listener(core: core, address: bound)
  }

  private static func check(
    _ call: String, _ address: SocketAddress, _ result: Int
  ) throws(SocketError) -> Int {
    guard result < 0 else { return result }
    throw .failed(Errno(Int32(-result)), call: call, address: address)
  }

  /// Waits for a connection.
  ///
  /// Errors that concern one connection, or a system short of descriptors or memory, are waited out.
  ///
  /// - Parameters:
  ///   - loop: the loop that will serve the connection.
  ///   - options: limits and watermarks of the connection.
  /// - Throws: `SocketError.closed` when the listener closes, `.busy` while another task accepts,
  ///   `CancellationError`. A connection that was accepted is never lost to a cancellation.
  public func accept(
    on loop: EventLoop, options: ConnectionOptions = ConnectionOptions()
  ) async throws -> Connection {
    try options.validate()
    while true {
      try CurrentTask.checkCancellation()
      switch try acceptNow(on: loop, options: options) {
      case .connection(let connection): return connection
      case .nothing: try await waitUntilReady()
      case .skipped: await core.loop.nextTurn()
      case .exhausted: try await pause()
      }
    }
  }

  /// Stops listening. Connections in the queue are reset by the kernel; those accepted live on.
  public func close() { core.close() }
}

extension Listener {
  /// The outcome of one attempt.
  package enum Attempt {
    case connection(Connection)
    /// The queue is empty.
    case nothing
    /// A connection died before it could be accepted.
    case skipped
    /// The system is short of descriptors or memory.
    case exhausted(SocketError)
  }

  package func acceptNow(
    on loop: EventLoop, options: ConnectionOptions
  ) throws(SocketError) -> Attempt {
    try core.acceptNow { descriptor, peer in
      let settings = settings(of: descriptor, options, loop)
      let connection = ConnectionCore(
        endpoint: .socket(descriptor), loop: loop, peerAddress: peer, settings: settings)
      connection.start()
      return Connection(connection)
    }
  }

  /// Those of the connection before, nearly always.
  private func settings(
    of descriptor: borrowing Descriptor, _ options: ConnectionOptions, _ loop: EventLoop
  ) -> ConnectionSettings {
    // Only a listener on every address of the machine has connections with addresses of their own.
    let local = address.isWildcard ? loop.core.kernel.localAddress(descriptor.number) : address
    return lastSettings.withLock { last in
      if let last, last.localAddress == local, last.options == options { return last }
      let settings = ConnectionSettings(options: options, localAddress: local)
      last = settings
      return settings
    }
  }

  /// Suspends until an attempt is worth making.
  package func waitUntilReady() async throws {
    try await core.wait(deadline: nil)
  }

  /// Suspends for the time that a system short of resources is given, or until `resourcesFreed()`.
  package func pause() async throws {
    try await core.wait(deadline: core.loop.now.advanced(by: AcceptPolicy.pause))
  }

  /// A connection of ours has ended: an attempt that was put off may succeed now.
  package func resourcesFreed() { core.resourcesFreed() }

  /// From now on nobody waits for connections: who does goes on, to accept what is in the queue already.
  package func stopWaiting() { core.stopWaiting() }
}
