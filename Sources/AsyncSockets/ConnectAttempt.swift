/// One socket that connects, as its event loop sees it.
///
/// The descriptor belongs to it until the connection takes it over; `close()` gives it back at any point before.
package final class ConnectAttempt: Sendable {
  package enum Outcome {
    /// The descriptor can be taken.
    case connected
    /// The loop will tell.
    case pending
    /// The accept queue of a Unix listener is full, and nothing will tell when it is not: try again later.
    case queueFull
    case failed(SocketError)
  }

  private struct State: ~Copyable {
    var descriptor: Descriptor?
    var localAddress: SocketAddress?
    /// What the loop says went wrong.
    var failure: SocketError?
    /// What the loop has told last.
    var events: Epoll.Events = []
  }

  package let address: SocketAddress
  private let loop: EventLoopCore
  private let state = Lock(State())
  private let onReady: @Sendable () -> Void

  /// - Parameter onReady: called on the loop when `result()` has something to say.
  package convenience init(
    to address: SocketAddress, on loop: EventLoop, onReady: @escaping @Sendable () -> Void
  ) {
    self.init(to: address, loop: loop.core, onReady: onReady)
  }

  init(to address: SocketAddress, loop: EventLoopCore, onReady: @escaping @Sendable () -> Void) {
    self.address = address
    self.loop = loop
    self.onReady = onReady
  }

  /// Opens the socket and begins to connect it.
  ///
  /// - Parameter opener: opens the socket, where that is not to be as the current task would.
  package func begin(
    boundTo local: SocketAddress?, options: [SocketOption], opener: (@Sendable (Int32) -> Int)? = nil
  ) -> Outcome {
    do throws(SocketError) {
      let kernel = loop.kernel
      let socket = opener?(address.family) ?? kernel.socket(family: address.family)
      if socket < 0 { throw .failed(Errno(Int32(-socket)), call: "socket", address: address) }
      let number = Int32(socket)
      state.withLock { $0.descriptor = Descriptor(owning: number, of: kernel.descriptors) }
      for option in SocketOption.ofClients(address, boundTo: local) + options {
        try option.apply(to: number, kernel: kernel, address: address)
      }
      if let local {
        let result = kernel.bind(number, to: local)
        if result < 0 { throw .failed(Errno(Int32(-result)), call: "bind", address: local) }
      }
      return connect()
    } catch {
      return fail(error)
    }
  }

  /// Asks the system to connect; again after `.queueFull`.
  package func connect() -> Outcome {
    let result = withDescriptor { loop.kernel.connect($0, to: address) } ?? -Int(Errno.badDescriptor.rawValue)
    switch Errno(Int32(-min(result, 0))) {
    case Errno(0), .alreadyConnected: return finish()
    // An interrupted connect goes on by itself: connect(2).
    case .inProgress, .interrupted:
      loop.perform(.register(self))
      return .pending
    case .wouldBlock where address.isUnix: return .queueFull
    case let errno: return fail(.failed(errno, call: "connect", address: address))
    }
  }

  /// What has become of a pending attempt, once the loop has told that it is ready.
  package func result() -> Outcome {
    if let failure = state.withLock({ $0.failure }) { return fail(failure) }
    let result = withDescriptor { loop.kernel.pendingError($0) } ?? -Int(Errno.badDescriptor.rawValue)
    if result == 0 { return finish() }
    return fail(.failed(Errno(Int32(-result)), call: "connect", address: address))
  }

  private func finish() -> Outcome {
    let local = withDescriptor { loop.kernel.localAddress($0) } ?? nil
    state.withLock { $0.localAddress = local }
    guard local == address, !address.isUnix else { return .connected }
    // Nobody listens at a port that this socket was given for its own: it has connected to itself. A reset, so that the
    // port is free at once.
    _ = withDescriptor { loop.kernel.setResetOnClose($0) }
    return fail(.failed(.connectionRefused, call: "connect", address: address))
  }

  private func fail(_ error: SocketError) -> Outcome {
    close()
    return .failed(error)
  }

  /// The connection, which takes the descriptor and its registration over.
  func takeConnection(on loop: EventLoop, options: ConnectionOptions) throws(SocketError) -> Connection {
    let taken = state.withLock { $0.descriptor.take() }
    guard let taken else { throw .closed }
    let number = taken.number
    let settings = ConnectionSettings(
      options: options, localAddress: state.withLock { $0.localAddress })
    let core = ConnectionCore(
      endpoint: .socket(taken), loop: loop, peerAddress: address, settings: settings)
    core.start()
    // Nothing is left to do for this unless the connection closes before the loop knows of it.
    self.loop.perform(.deregister(self, descriptor: number))
    return Connection(core)
  }

  /// The same on the loop's own thread and for a driver, with settings that many connections share; the registration
  /// stays, and only who hears of it changes.
  package func takeHandle(
    on loop: EventLoop, settings: ConnectionSettings
  ) throws(SocketError) -> Connection.Handle {
    let events = state.withLock { $0.events }
    let taken = state.withLock { $0.descriptor.take() }
    guard let taken else { throw .closed }
    let number = taken.number
    let core = ConnectionCore(
      endpoint: .socket(taken), loop: loop, peerAddress: address, settings: settings)
    if self.loop.local.value.table.replace(self, by: core, descriptor: number) {
      // What it has heard is not told again.
      core.ready(events)
    } else {
      core.start()
    }
    return Connection.Handle(core: core)
  }

  /// Gives the socket back. Repeated calls do no harm.
  package func close() {
    let number = state.withLock { state -> Int32? in
      let number = state.descriptor?.number
      state.descriptor = nil
      return number
    }
    if let number { loop.perform(.deregister(self, descriptor: number)) }
  }
}

extension ConnectAttempt: Pollable {
  func withDescriptor<Result>(_ body: (Int32) -> Result) -> Result? {
    state.withLock { state in
      if let number = state.descriptor?.number { body(number) } else { nil }
    }
  }

  func ready(_ events: Epoll.Events) {
    state.withLock { $0.events = events }
    if !events.isDisjoint(with: [.writable, .failed, .hangUp]) { onReady() }
  }

  func registrationFailed(_ error: SocketError) {
    state.withLock { $0.failure = error }
    onReady()
  }

  func loopStopped() { registrationFailed(.loopStopped) }

  func describe(to snapshot: inout EventLoop.Snapshot) { snapshot.connecting.append(address) }
}
