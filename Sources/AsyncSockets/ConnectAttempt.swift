/// One socket that connects, as its event loop sees it.
///
/// The descriptor belongs to it until the connection takes it over; `close()` gives it back at any point before.
final class ConnectAttempt: Sendable {
  enum Outcome {
    /// The descriptor can be taken.
    case connected
    /// The loop will tell.
    case pending
    /// The accept queue of a Unix listener is full, and nothing will tell when it is not: try again later.
    case queueFull
    case failed(SocketError)
  }

  let address: SocketAddress
  private let loop: EventLoopCore
  private let descriptor = Lock<Descriptor?>(nil)
  /// What the loop says went wrong.
  private let failure = Lock<SocketError?>(nil)
  private let onReady: @Sendable () -> Void

  /// - Parameter onReady: called on the loop when `result()` has something to say.
  init(to address: SocketAddress, loop: EventLoopCore, onReady: @escaping @Sendable () -> Void) {
    self.address = address
    self.loop = loop
    self.onReady = onReady
  }

  /// Opens the socket and begins to connect it.
  func begin(boundTo local: SocketAddress?, options: [SocketOption]) -> Outcome {
    do throws(SocketError) {
      let kernel = loop.kernel
      let socket = kernel.socket(family: address.family)
      if socket < 0 { throw .failed(Errno(Int32(-socket)), call: "socket", address: address) }
      let number = Int32(socket)
      descriptor.withLock { $0 = Descriptor(owning: number) }
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
  func connect() -> Outcome {
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
  func result() -> Outcome {
    if let failure = failure.withLock({ $0 }) { return fail(failure) }
    let result = withDescriptor { loop.kernel.pendingError($0) } ?? -Int(Errno.badDescriptor.rawValue)
    if result == 0 { return finish() }
    return fail(.failed(Errno(Int32(-result)), call: "connect", address: address))
  }

  private func finish() -> Outcome {
    // A port of this machine to which nobody listens may be the one that this socket was given: it has then connected
    // to itself.
    let isSelf = withDescriptor { descriptor -> Bool in
      guard !address.isUnix, loop.kernel.localAddress(descriptor) == address else { return false }
      _ = loop.kernel.setResetOnClose(descriptor)
      return true
    }
    guard isSelf == true else { return .connected }
    return fail(.failed(.connectionRefused, call: "connect", address: address))
  }

  private func fail(_ error: SocketError) -> Outcome {
    close()
    return .failed(error)
  }

  /// The connection, which takes the descriptor and its registration over.
  func takeConnection(on loop: EventLoop, options: ConnectionOptions) throws(SocketError) -> Connection {
    let taken = descriptor.withLock { descriptor in
      let taken = consume descriptor
      descriptor = nil
      return taken
    }
    guard let taken else { throw .closed }
    let number = taken.number
    let settings = ConnectionSettings(
      options: options, localAddress: self.loop.kernel.localAddress(taken.number))
    let core = ConnectionCore(
      endpoint: .socket(taken), loop: loop, peerAddress: address, settings: settings)
    core.start()
    // Nothing is left to do for this unless the connection closes before the loop knows of it.
    self.loop.perform(.deregister(self, descriptor: number))
    return Connection(core)
  }

  /// Gives the socket back. Repeated calls do no harm.
  func close() {
    let number = descriptor.withLock { descriptor -> Int32? in
      let number = descriptor?.number
      descriptor = nil
      return number
    }
    if let number { loop.perform(.deregister(self, descriptor: number)) }
  }
}

extension ConnectAttempt: Pollable {
  func withDescriptor<Result>(_ body: (Int32) -> Result) -> Result? {
    descriptor.withLock { descriptor in
      if let number = descriptor?.number { body(number) } else { nil }
    }
  }

  func ready(_ events: Epoll.Events) {
    if !events.isDisjoint(with: [.writable, .failed, .hangUp]) { onReady() }
  }

  func registrationFailed(_ error: SocketError) {
    failure.withLock { $0 = error }
    onReady()
  }

  func loopStopped() { registrationFailed(.closed) }
}
