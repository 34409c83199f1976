/// A socket that listens, and the connections that come to it.
///
/// It listens from the moment `bind` returns, and closes with `close()` or with the last reference to it.
public final class Listener: Sendable {
  /// The address it listens on, with the port that the system chose if 0 was asked for.
  public let address: SocketAddress

  private let core: ListenerCore
  /// What accepted connections have from the listener.
  private let inheritedOptions: [SocketOption]
  private let lastSettings = Lock<ConnectionSettings?>(nil)

  init(core: ListenerCore, address: SocketAddress, inheritedOptions: [SocketOption] = []) {
    self.core = core
    self.address = address
    self.inheritedOptions = inheritedOptions
  }

  deinit {
    core.close()
  }

  /// Waits for a connection.
  ///
  /// Errors that concern one connection, or a system short of descriptors or memory, are waited out.
  ///
  /// - Parameters:
  ///   - loop: the loop that will serve the connection.
  ///   - options: limits and watermarks of the connection.
  ///   - deadline: when to give up.
  /// - Throws: `SocketError.closed` when the listener closes, `.loopStopped` when its loop or the connection's has
  ///   stopped, `.busy` while another task accepts, `.timedOut`, `.failed` when one of the socket options is refused
  ///   (that connection is closed), `CancellationError`. A connection that was accepted is never lost to a
  ///   cancellation or the deadline.
  public func accept(
    on loop: EventLoop, options: ConnectionOptions = ConnectionOptions(), deadline: Deadline = .never
  ) async throws -> Connection {
    try options.validate()
    let due = deadline.instant(now: core.loop.now)
    while true {
      try CurrentTask.checkCancellation()
      try loop.core.checkIsRunning()
      if let due, due <= core.loop.now { throw SocketError.timedOut(operation: "accept on \(address)") }
      switch try acceptNow(on: loop, options: options) {
      case .connection(let connection): return connection
      case .nothing: try await core.wait(until: due)
      case .skipped, .refused: await core.loop.nextTurn()
      case .exhausted: try await pause(until: due)
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
    /// A connection was not wanted, and has been reset.
    case refused(SocketAddress?)
    /// The system is short of descriptors or memory.
    case exhausted(SocketError)
  }

  /// - Parameter isWanted: called with the peer of a connection that has come; for `false` it is reset at once.
  package func acceptNow(
    on loop: EventLoop, options: ConnectionOptions, isWanted: (SocketAddress?) -> Bool = { _ in true }
  ) throws(SocketError) -> Attempt {
    try core.acceptNow { descriptor, peer throws(SocketError) in
      guard isWanted(peer) else {
        _ = loop.core.kernel.setResetOnClose(descriptor.number)
        return .refused(peer)
      }
      if options.socketOptions != inheritedOptions {
        for option in options.socketOptions {
          try option.apply(to: descriptor.number, kernel: loop.core.kernel, address: peer)
        }
      }
      let settings = settings(of: descriptor, options, loop)
      let connection = ConnectionCore(
        endpoint: .socket(descriptor), loop: loop, peerAddress: peer, settings: settings)
      connection.start()
      return .connection(Connection(connection))
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
    try await core.wait()
  }

  /// Suspends for the time that a system short of resources is given, or until `resourcesFreed()`.
  package func pause() async throws { try await pause(until: nil) }

  private func pause(until deadline: EventLoop.Instant?) async throws {
    let end = core.loop.now.advanced(by: AcceptPolicy.pause)
    try await core.wait(until: min(end, deadline ?? end), isPause: true)
  }

  /// A connection of ours has ended: an attempt that was put off may succeed now.
  package func resourcesFreed() { core.resourcesFreed() }

  /// From now on nobody waits for connections: who does goes on, to accept what is in the queue already.
  package func stopWaiting() { core.stopWaiting() }
}

extension Listener {
  /// Takes one connection out of the queue of a process that is out of descriptors, and resets it.
  ///
  /// - Parameter reserve: its number is free meanwhile.
  package func shed(with reserve: ReserveDescriptor) throws(SocketError) -> Attempt {
    let kernel = core.loop.kernel
    return try reserve.lend { () throws(SocketError) in
      try core.acceptNow { descriptor, peer throws(SocketError) in
        _ = kernel.setResetOnClose(descriptor.number)
        return .refused(peer)
      }
    }
  }
}
