/// What carries the bytes of a connection: a nonblocking endpoint in the manner of a socket.
///
/// A socket is built in; conforming types carry bytes over something else (memory, TLS, a fault injector) and are
/// the same to everything above. The connection calls them one at a time, never from two threads at once, and holds a
/// lock meanwhile: they must answer at once, and use nothing of the connection itself.
///
/// After `.wouldBlock` the same operation is not called again before the transport has told of its readiness
/// (`notifyReadiness`). A count that cannot be, such as `.bytes(-1)`, ends the connection with `EPROTO`.
public protocol Transport: AnyObject, Sendable {
  /// Takes what has arrived, at most as many bytes as the buffer holds. Fewer say nothing of what is left: only
  /// `.wouldBlock` does. `.bytes(0)` means `.wouldBlock(.read)`.
  func read(into buffer: inout MutableRawSpan) -> TransportResult

  /// Sends as much of the bytes as it can right now. What it has not taken is offered again, perhaps with more behind
  /// it; the memory is the connection's. `.bytes(0)` means `.wouldBlock(.write)`.
  func write(_ bytes: RawSpan) -> TransportResult

  /// Ends the outgoing stream, when everything before it has been written; the incoming one goes on. Answers `.bytes(0)`
  /// when done, and is not called again then; after `.wouldBlock` it is.
  func shutdownWrite() -> TransportResult

  /// Gives everything back; no call follows. `abortively` says that the peer shall see a reset.
  func close(abortively: Bool)

  /// How many bytes have arrived and could be read without waiting.
  var unreadBytes: Int { get }

  /// Names who must be told when a direction that would have blocked may go on. Called at the start, and again when
  /// the connection is upgraded and another is to be told instead. The transport may call it from anywhere, from inside
  /// its own operations too.
  func notifyReadiness(_ notify: @escaping @Sendable (TransportReadiness) -> Void)
}

/// The answer of a transport's operation.
public enum TransportResult: Hashable, Sendable {
  /// That many bytes were moved.
  case bytes(Int)
  /// Nothing can be moved until the transport becomes ready for this; a read may have to wait for a write (TLS). An empty
  /// set waits for `.final` alone.
  case wouldBlock(TransportReadiness)
  /// The peer ended its stream.
  case end
  /// The peer's stream ended without the goodbye that the transport's protocol asks for: somebody may have cut it.
  case truncated
  /// The operation failed, for good.
  case failed(Errno)
}

/// The directions in which a transport is ready.
public struct TransportReadiness: OptionSet, Hashable, Sendable {
  /// The bits of the set.
  public let rawValue: UInt8

  /// A set of directions.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Bytes, an end or an error can be read.
  public static let read = TransportReadiness(rawValue: 1)
  /// There is room to write, or a write would fail at once.
  public static let write = TransportReadiness(rawValue: 2)
  /// The transport has ended or failed: from now on reads and writes answer without waiting. A read that would block all
  /// the same is tried again in every turn of the loop for as long as somebody waits for it, which costs its processor.
  public static let final = TransportReadiness(rawValue: 4)
  /// The peer neither sends nor takes anything any more.
  static let hungUp = TransportReadiness(rawValue: 8)
}

/// The two kinds of transport, sockets without indirection.
enum Endpoint: ~Copyable {
  case socket(Descriptor)
  case custom(any Transport)
  case closed
}

extension Endpoint {
  var descriptorNumber: Int32? {
    switch self {
    case .socket(let descriptor): descriptor.number
    case .custom(let transport): (transport as? UpgradedTransport)?.descriptorNumber
    case .closed: nil
    }
  }

  /// A socket and nothing around it.
  @inline(__always)
  var isSocket: Bool {
    switch self {
    case .socket: true
    case .custom: false
    case .closed: false
    }
  }

  var customTransport: (any Transport)? {
    switch self {
    case .custom(let transport): transport
    case .socket: nil
    case .closed: nil
    }
  }

  @inline(__always)
  borrowing func read(
    into buffer: UnsafeMutableRawBufferPointer, loop: EventLoopCore
  ) -> TransportResult {
    switch self {
    case .socket(let descriptor):
      let count = uninterrupted { unsafe loop.receive(descriptor.number, into: buffer) }
      if count > 0 { return .bytes(count) }
      return count == 0 ? .end : Self.failure(count, waitingFor: .read)
    case .custom(let transport):
      var span = unsafe buffer.mutableBytes
      return transport.read(into: &span)
    case .closed: return .failed(.badDescriptor)
    }
  }

  @inline(__always)
  borrowing func write(_ bytes: UnsafeRawBufferPointer, loop: EventLoopCore) -> TransportResult {
    switch self {
    case .socket(let descriptor):
      let count = uninterrupted { unsafe loop.send(descriptor.number, bytes) }
      if count >= 0 { return .bytes(count) }
      // Where the peer left input unread, a Unix socket says no more than that, and keeps the reset for later.
      let isReset =
        count == -Int(Errno.brokenPipe.rawValue)
        && loop.kernel.pendingError(descriptor.number) == -Int(Errno.connectionReset.rawValue)
      return isReset ? .failed(.connectionReset) : Self.failure(count, waitingFor: .write)
    case .custom(let transport): return unsafe transport.write(bytes.bytes)
    case .closed: return .failed(.badDescriptor)
    }
  }

  /// One call for all parts: sockets can.
  borrowing func write(gathering parts: [UnsafeRawBufferPointer], kernel: any Kernel) -> TransportResult {
    guard let descriptor = descriptorNumber else { return .failed(.badDescriptor) }
    let count = uninterrupted { unsafe kernel.send(descriptor, gathering: parts) }
    return count >= 0 ? .bytes(count) : Self.failure(count, waitingFor: .write)
  }

  borrowing func shutdownWrite(kernel: any Kernel) -> TransportResult {
    switch self {
    case .socket(let descriptor):
      let result = kernel.shutdownWrite(descriptor.number)
      // A peer that has gone already needs no FIN.
      if result >= 0 || result == -Int(Errno.notConnected.rawValue) { return .bytes(0) }
      return Self.failure(result, waitingFor: .write)
    case .custom(let transport): return transport.shutdownWrite()
    case .closed: return .failed(.badDescriptor)
    }
  }

  borrowing func unreadBytes(kernel: any Kernel) -> Int {
    switch self {
    case .socket(let descriptor): max(0, kernel.unreadBytes(descriptor.number))
    case .custom(let transport): max(0, transport.unreadBytes)
    case .closed: 0
    }
  }

  /// Closes for good; answers the descriptor's number, so that the loop can forget it.
  mutating func close(abortively: Bool, kernel: any Kernel) -> Int32? {
    let number = descriptorNumber
    if let transport = customTransport {
      transport.close(abortively: abortively)
    } else if abortively, let number {
      _ = kernel.setResetOnClose(number)
    }
    self = .closed
    return number
  }

  private static func failure(_ answer: Int, waitingFor direction: TransportReadiness) -> TransportResult {
    let errno = Errno(Int32(-answer))
    return errno == .wouldBlock ? .wouldBlock(direction) : .failed(errno)
  }
}
