/// A listening descriptor as its event loop sees it.
final class ListenerCore: Sendable {
  private struct Waiter {
    let id: UInt32
    let continuation: WakeContinuation
    let isPause: Bool
  }

  private struct State: ~Copyable {
    var descriptor: Descriptor?
    var readiness = Readiness()
    var waiter: Waiter?
    var lastWaiter: UInt32 = 0
    var isClosed = false
    /// What those are told who accept after the close.
    var end = SocketError.closed
    /// The queue is emptied once more, and nobody waits for what comes later.
    var isEnding = false
  }

  let loop: EventLoopCore
  private let address: SocketAddress
  /// The file of a Unix socket, which may by now be somebody else's at the same path.
  private let file: FileIdentity?
  /// Whether the socket was made here, so that nobody is meant to go on listening when it closes.
  private let isOwn: Bool
  private let state: Lock<State>

  /// - Parameter isOwn: whether the socket was made here: then the close ends it for good, and removes the file of a
  ///   Unix socket.
  init(
    descriptor: consuming Descriptor, address: SocketAddress, isOwn: Bool, loop: EventLoopCore
  ) {
    self.isOwn = isOwn
    self.loop = loop
    self.address = address
    file = isOwn ? address.path.flatMap { loop.kernel.identity(ofFile: $0) } : nil
    state = Lock(State(descriptor: consume descriptor))
  }

  func acceptNow(
    _ adopt: (consuming sending Descriptor, SocketAddress?) throws(SocketError) -> Listener.Attempt
  ) throws(SocketError) -> Listener.Attempt {
    var peer: SocketAddress?
    let result = try state.withLock { state throws(SocketError) -> Int? in
      guard let descriptor = state.descriptor?.number else { throw state.end }
      guard state.readiness.canRead else { return nil }
      let result = uninterrupted { loop.kernel.accept(descriptor, peer: &peer) }
      if result == -Int(Errno.wouldBlock.rawValue) {
        return state.readiness.readWouldBlock(awaiting: .read) ? nil : result
      }
      return result
    }
    guard let result else { return .nothing }
    if result >= 0 {
      return try adopt(Descriptor(owning: Int32(result), of: loop.kernel.descriptors), peer)
    }
    let errno = Errno(Int32(-result))
    let error = SocketError.failed(errno, call: "accept", address: address)
    switch AcceptPolicy.verdict(on: errno) {
    case .retry: return .skipped
    case .pause: return .exhausted(error)
    case .fatal: throw error
    }
  }

  /// Suspends until there is something to accept, or until the deadline.
  ///
  /// - Parameter isPause: whether to wait even if there is something, until `resourcesFreed()`.
  func wait(until deadline: EventLoop.Instant? = nil, isPause: Bool = false) async throws {
    let id = state.withLock { state in
      state.lastWaiter &+= 1
      return state.lastWaiter
    }
    let timer = deadline.flatMap { loop.schedule(self, token: UInt64(id), due: $0) }
    if deadline != nil, timer == nil { throw SocketError.loopStopped }
    defer { if let timer { loop.cancelDeadline(timer) } }
    var isBusy = false
    let wake = await withTaskCancellationHandler {
      await WakeContinuation.suspend { continuation in
        let answer = state.withLock { state -> Wake? in
          if CurrentTask.isCancelled { return .cancelled }
          if state.isClosed || state.isEnding { return .changed }
          if !isPause, state.readiness.canRead { return .changed }
          if let deadline, deadline <= loop.now { return .timedOut }
          if state.waiter != nil {
            isBusy = true
            return .changed
          }
          state.waiter = Waiter(id: id, continuation: continuation, isPause: isPause)
          return nil
        }
        if let answer { continuation.resume(answer) }
      }
    } onCancel: {
      wakeWaiter(.cancelled) { $0.id == id }
    }
    if isBusy { throw SocketError.busy(operation: "accept") }
    if case .cancelled = wake { throw CancellationError() }
  }

  private func wakeWaiter(_ wake: Wake, where matches: (Waiter) -> Bool) {
    let continuation = state.withLock { state -> WakeContinuation? in
      guard let waiter = state.waiter, matches(waiter) else { return nil }
      state.waiter = nil
      return waiter.continuation
    }
    continuation?.resume(wake)
  }

  func stopWaiting() {
    state.withLock { state in
      state.isEnding = true
      // The event of the last to come may still be on its way.
      state.readiness.note(.read)
    }
    wakeWaiter(.changed) { _ in true }
  }

  func resourcesFreed() { wakeWaiter(.changed) { $0.isPause } }

  func close(_ end: SocketError = .closed) {
    let (number, continuation) = state.withLock { state -> (Int32?, WakeContinuation?) in
      if !state.isClosed { state.end = end }
      // First the path, so that whoever finds it finds a listener.
      if !state.isClosed, let file, let path = address.path, loop.kernel.identity(ofFile: path) == file {
        loop.kernel.unlink(path)
      }
      state.isClosed = true
      defer { state.waiter = nil }
      let number = state.descriptor?.number
      // A child between fork and exec has a copy, which would listen on.
      if isOwn, let number { _ = loop.kernel.shutdownListening(number) }
      state.descriptor = nil
      return (number, state.waiter?.continuation)
    }
    guard let number else { return }
    loop.perform(.deregister(self, descriptor: number))
    continuation?.resume()
  }
}

extension ListenerCore: Pollable, DeadlineTarget {
  func withDescriptor<Result>(_ body: (Int32) -> Result) -> Result? {
    state.withLock { state in
      if let number = state.descriptor?.number { body(number) } else { nil }
    }
  }

  func ready(_ events: Epoll.Events) {
    // A listener has no end of stream: what looks like one is an error that accept itself reports.
    state.withLock { $0.readiness.note(.read) }
    wakeWaiter(.changed) { !$0.isPause }
  }

  func registrationFailed(_ error: SocketError) { close(error) }

  func loopStopped() { close(.loopStopped) }

  func describe(to snapshot: inout EventLoop.Snapshot) {
    let isWaiting = state.withLock { $0.waiter != nil }
    snapshot.listeners.append(EventLoop.Snapshot.Listener(address: address, isWaiting: isWaiting))
  }

  func deadlineReached(_ token: UInt64) {
    wakeWaiter(.timedOut) { UInt64($0.id) == token }
  }
}
