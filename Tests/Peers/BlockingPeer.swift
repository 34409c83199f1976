import CLinux
import Glibc
import Synchronization

/// The other end of a connection, made of plain blocking POSIX calls and nothing of the library that it tests,
/// so that what goes over the wire is judged from outside.
///
/// Every call that waits belongs in ``onThread(_:)``, and throws ``PeerError/timedOut(waitingFor:after:)`` when
/// the other side keeps it waiting longer than its patience. One thread may send while another receives; nothing
/// else is to run beside ``close()`` or ``reset()``. A peer that is dropped closes.
public final class BlockingPeer: Sendable {
  let patience: Duration
  private let storage: Atomic<Int32>

  /// Takes over a connected stream socket.
  public init(adopting descriptor: Int32, patience: Duration = defaultPatience) {
    self.patience = patience
    storage = Atomic(descriptor)
  }

  deinit { close() }

  /// The socket, or -1 once it is closed.
  public var descriptor: Int32 { storage.load(ordering: .relaxed) }

  /// The local port, or 0 for a Unix socket.
  public var localPort: UInt16 {
    get throws { try RawAddress(boundTo: descriptor).port }
  }

  /// Gives the socket up: from now on it is the caller's to close.
  public func releaseDescriptor() -> Int32 { storage.exchange(-1, ordering: .relaxed) }
}

// MARK: Connecting

extension BlockingPeer {
  /// Connects by TCP to `host`, a numeric IPv4 or IPv6 address. `receiveBuffer` is the socket's SO_RCVBUF, which
  /// the kernel doubles.
  public static func connect(
    port: UInt16, host: String = "127.0.0.1", receiveBuffer: Int32? = nil,
    patience: Duration = defaultPatience
  ) throws -> BlockingPeer {
    let peer = try connect(
      to: RawAddress(host: host, port: port),
      named: host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)",
      receiveBuffer, patience)
    try setNoDelay(peer.descriptor)
    return peer
  }

  /// Connects to a Unix socket.
  public static func connect(
    unixPath path: String, receiveBuffer: Int32? = nil, patience: Duration = defaultPatience
  ) throws -> BlockingPeer {
    try connect(to: RawAddress(unixPath: path), named: path, receiveBuffer, patience)
  }

  private static func connect(
    to address: RawAddress, named name: String, _ receiveBuffer: Int32?, _ patience: Duration
  ) throws -> BlockingPeer {
    let socket = try makeSocket(address.family)
    let peer = BlockingPeer(adopting: socket, patience: patience)
    if let receiveBuffer { try setOption(SO_RCVBUF, of: socket, to: receiveBuffer) }
    try setOption(SO_SNDTIMEO, of: socket, to: timeval(patience))
    guard unsafe address.withPointer({ unsafe Glibc.connect(socket, $0, $1) }) != 0 else { return peer }
    switch errno {
    case EINTR:
      // The attempt goes on without us.
      try Wait(for: "a connection to \(name)", patience: patience).untilReady(socket, POLLOUT)
      let failure = try pendingError(of: socket)
      if failure != 0 { throw PeerError.failed(call: "connect to \(name)", errno: failure) }
      return peer
    case EINPROGRESS, EAGAIN:
      throw PeerError.timedOut(waitingFor: "a connection to \(name)", after: patience)
    default:
      throw PeerError.last("connect to \(name)")
    }
  }

  private static func pendingError(of socket: Int32) throws -> Int32 {
    var value: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    guard unsafe getsockopt(socket, SOL_SOCKET, SO_ERROR, &value, &length) == 0 else {
      throw PeerError.last("getsockopt")
    }
    return value
  }
}

extension timeval {
  fileprivate init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    self.init(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
  }
}

// MARK: Ending

extension BlockingPeer {
  /// Ends the sending direction alone.
  public func halfClose() throws {
    guard shutdown(descriptor, Int32(SHUT_WR)) == 0 else { throw PeerError.last("shutdown") }
  }

  /// Closes in such a way that the other side of a TCP connection gets a reset.
  public func reset() throws {
    try setOption(SO_LINGER, of: descriptor, to: linger(l_onoff: 1, l_linger: 0))
    close()
  }

  /// Closes both directions. With unread input the kernel sends a reset, else an end of stream. Again is harmless.
  public func close() {
    let descriptor = releaseDescriptor()
    if descriptor >= 0 { Glibc.close(descriptor) }
  }
}
