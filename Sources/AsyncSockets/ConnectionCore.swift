import Synchronization

/// One connection as its event loop sees it: the transport, what waits for it, and how it ended.
///
/// Its state, the descriptor included, is behind one lock. A system call, the change of the ready bits that
/// follows from it, and the close are each one critical section: otherwise a reader on another thread could lose
/// its wake-up, or read the bytes of a stranger whose descriptor has the same number. No continuation is resumed
/// while the lock is held.
@usableFromInline
final class ConnectionCore: Sendable {
  let loop: EventLoop
  let core: EventLoopCore
  let peerAddress: SocketAddress?
  /// This side has closed or aborted it: nothing is delivered any more.
  let isOver = Atomic<Bool>(false)
  let state: Lock<ConnectionState>
  @usableFromInline let reading = ReaderSlot()
  /// The task of the scope that serves this connection, while one does.
  let owner = Atomic<UInt>(0)

  init(
    endpoint: consuming sending Endpoint, loop: EventLoop, peerAddress: SocketAddress?,
    settings: ConnectionSettings
  ) {
    self.loop = loop
    core = loop.core
    self.peerAddress = peerAddress
    state = Lock(ConnectionState(endpoint: endpoint, settings: settings, now: core.now))
  }

  /// This end's address: known to all connections of a listener, and asked for where nobody has said it.
  var localAddress: SocketAddress? {
    state.withLock { state in
      state.settings.localAddress
        ?? state.endpoint.descriptorNumber.flatMap { core.kernel.localAddress($0) }
    }
  }

  /// Begins to watch the transport. Until then reads and writes work as well, since both are tried first.
  func start() {
    if let transport = state.withLock({ $0.endpoint.customTransport }) {
      core.perform(.remember(self))
      listen(to: transport)
    } else {
      core.perform(.register(self))
    }
  }

  func listen(to transport: any Transport) {
    // Never at once: a transport may tell of its readiness from inside a call of ours, which holds the lock.
    transport.notifyReadiness { [weak self, core] readiness in
      if let self { core.performLater(.ready(self, readiness)) }
    }
  }

  /// A transport of one's own that has ended does nothing more, in either direction.
  func ready(_ readiness: TransportReadiness) {
    noteReadiness(readiness.contains(.final) ? readiness.union(.hungUp) : readiness) { _ in true }
  }

  /// Enters what no read has entered.
  @inline(__always)
  func noteNews() {
    let news = reading.contents.news
    guard !news.isEmpty else { return }
    reading.contents.news = []
    noteReadiness(news) { _ in true }
  }

  /// Has those go on who can, if the endpoint is what became ready.
  @inline(__always)
  private func noteReadiness(_ readiness: TransportReadiness, _ isMeant: (borrowing Endpoint) -> Bool) {
    let (reader, mustFlush, isFinal) = state.withLock { state -> (WakeContinuation?, Bool, Bool) in
      guard isMeant(state.endpoint) else { return (nil, false, false) }
      state.readiness.note(readiness)
      let mustFlush = state.claimsFlush()
      let reader = state.readiness.canRead ? state.takeReader() : nil
      return (reader, mustFlush, state.readiness.isFinal)
    }
    reader?.resume()
    if mustFlush { core.perform(.flush(self)) }
    if isFinal { noteDeparture() }
  }
}

extension ConnectionCore: Pollable {
  func withDescriptor<Result>(_ body: (Int32) -> Result) -> Result? {
    state.withLock { state in
      if let number = state.endpoint.descriptorNumber { body(number) } else { nil }
    }
  }

  func ready(_ events: Epoll.Events) {
    if events.contains(.urgent) { state.withLock { $0.readiness.shortReadMeansEmpty = false } }
    var upgraded: (any Transport)?
    noteReadiness(TransportReadiness(events)) { endpoint in
      upgraded = endpoint.customTransport
      return upgraded == nil
    }
    guard let upgraded else { return }
    (upgraded as? UpgradedTransport)?.socketIsReady(TransportReadiness(events))
    if events.contains(.failed) { noteDeparture() }
  }

  func registrationFailed(_ error: SocketError) { end(with: error, reason: CloseReason(error)) }

  func loopStopped() { end(with: .loopStopped, reason: .aborted) }

  func describe(to snapshot: inout EventLoop.Snapshot) { snapshot.connections.append(self.snapshot()) }
}
