/// What carries an upgraded connection: the user's transport, and below it what carried the connection before.
final class UpgradedTransport: Transport {
  let upper: any Transport
  private let lower: LowerTransport

  init(_ upper: any Transport, over lower: LowerTransport) {
    self.upper = upper
    self.lower = lower
  }

  /// The number of the socket at the bottom, if there is one.
  var descriptorNumber: Int32? { lower.descriptorNumber }

  /// An event of the socket at the bottom.
  ///
  /// That the socket has ended does not mean that the transport above it never waits again, so it is not passed on.
  func socketIsReady(_ readiness: TransportReadiness) {
    lower.tell(readiness.subtracting([.final, .hungUp]))
  }

  /// What has ended the socket at the bottom, if something has, as a negative errno; else 0.
  func takeSocketError() -> Int { lower.takeSocketError() }

  func read(into buffer: inout MutableRawSpan) -> TransportResult { upper.read(into: &buffer) }
  func write(_ bytes: RawSpan) -> TransportResult { upper.write(bytes) }
  func shutdownWrite() -> TransportResult { upper.shutdownWrite() }
  var unreadBytes: Int { upper.unreadBytes }
  func notifyReadiness(_ notify: @escaping @Sendable (TransportReadiness) -> Void) {
    upper.notifyReadiness(notify)
  }

  func close(abortively: Bool) {
    upper.close(abortively: abortively)
    // It has closed what is below it; if not, a descriptor must not be lost by that.
    lower.close(abortively: abortively)
  }
}

/// What carried a connection before its upgrade, for the transport that carries it from then on.
final class LowerTransport: Transport {
  private struct State: ~Copyable {
    var endpoint = Endpoint.closed
    var isCarrying = false
    /// The first failure. The kernel tells of a reset once, and afterwards of an end; whoever reads has to hear of it
    /// when a write was told.
    var failure: Errno?

    mutating func note(_ result: TransportResult) -> TransportResult {
      if case .failed(let errno) = result, errno != .brokenPipe, failure == nil { failure = errno }
      return result
    }
  }

  /// A function that a lock holds by itself, not as part of a type of its own, is wrapped once more by every look at it.
  private struct Notification {
    var notify: (@Sendable (TransportReadiness) -> Void)?
  }

  private let loop: EventLoopCore
  private let state = Lock(State())
  /// Behind a lock of its own: a transport may tell its news from inside a call, and its peer from inside its own.
  private let notification = Lock(Notification())

  init(loop: EventLoopCore) { self.loop = loop }

  var descriptorNumber: Int32? { state.withLock { $0.endpoint.descriptorNumber } }

  /// Begins to carry bytes. Until then every operation would block.
  func carry(_ endpoint: consuming sending Endpoint) {
    let transport = endpoint.customTransport
    var endpoint = Optional(endpoint)
    state.withLock { state in
      if let taken = endpoint.take() { state.endpoint = taken }
      state.isCarrying = true
    }
    transport?.notifyReadiness { [weak self] in self?.tell($0) }
  }

  func tell(_ readiness: TransportReadiness) {
    notification.withLock { $0.notify }?(readiness)
  }

  func read(into buffer: inout MutableRawSpan) -> TransportResult {
    unsafe buffer.withUnsafeMutableBytes { bytes in
      state.withLock { state in
        guard state.isCarrying else { return .wouldBlock(.read) }
        let result = unsafe state.endpoint.read(into: bytes, loop: loop)
        if result == .end, let failure = state.failure { return .failed(failure) }
        return state.note(result)
      }
    }
  }

  func write(_ bytes: RawSpan) -> TransportResult {
    unsafe bytes.withUnsafeBytes { bytes in
      state.withLock { state in
        guard state.isCarrying else { return .wouldBlock(.write) }
        return state.note(unsafe state.endpoint.write(bytes, loop: loop))
      }
    }
  }

  func takeSocketError() -> Int {
    state.withLock { state in
      if let failure = state.failure { return -Int(failure.rawValue) }
      guard let number = state.endpoint.descriptorNumber else { return 0 }
      let error = loop.kernel.pendingError(number)
      if error < 0 { _ = state.note(.failed(Errno(Int32(-error)))) }
      return min(0, error)
    }
  }

  func shutdownWrite() -> TransportResult {
    state.withLock { $0.isCarrying ? $0.endpoint.shutdownWrite(kernel: loop.kernel) : .wouldBlock(.write) }
  }

  func close(abortively: Bool) {
    state.withLock { _ = $0.endpoint.close(abortively: abortively, kernel: loop.kernel) }
    notification.withLock { $0.notify = nil }
  }

  var unreadBytes: Int { state.withLock { $0.endpoint.unreadBytes(kernel: loop.kernel) } }

  func notifyReadiness(_ notify: @escaping @Sendable (TransportReadiness) -> Void) {
    notification.withLock { $0.notify = notify }
  }
}
