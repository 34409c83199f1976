import CLinux
import Glibc
import Synchronization

/// A listening socket of plain POSIX calls. What blocks belongs in ``onThread(_:)``.
public final class BlockingListener: Sendable {
  /// The port that the kernel chose, or 0 for a Unix socket.
  public let port: UInt16
  private let patience: Duration
  private let descriptor: Atomic<Int32>

  /// Listens on a free port of `host`, a numeric address.
  public convenience init(
    host: String = "127.0.0.1", backlog: Int32 = 128, patience: Duration = defaultPatience
  ) throws {
    try self.init(RawAddress(host: host, port: 0), backlog, patience)
  }

  /// Listens on the Unix socket `path`, which must not exist yet and which the caller removes.
  public convenience init(
    unixPath path: String, backlog: Int32 = 128, patience: Duration = defaultPatience
  ) throws {
    try self.init(RawAddress(unixPath: path), backlog, patience)
  }

  private init(_ address: RawAddress, _ backlog: Int32, _ patience: Duration) throws {
    let socket = try makeSocket(address.family)
    do {
      guard unsafe address.withPointer({ unsafe bind(socket, $0, $1) }) == 0 else {
        throw PeerError.last("bind")
      }
      guard listen(socket, backlog) == 0 else { throw PeerError.last("listen") }
      port = try RawAddress(boundTo: socket).port
    } catch {
      Glibc.close(socket)
      throw error
    }
    self.patience = patience
    descriptor = Atomic(socket)
  }

  deinit { close() }

  /// Its descriptor.
  var number: Int32 { descriptor.load(ordering: .relaxed) }

  /// The next connection.
  public func accept() throws -> BlockingPeer {
    let listener = descriptor.load(ordering: .relaxed)
    let wait = Wait(for: "a connection to port \(port)", patience: patience)
    // Asked first, since `accept` of a blocking socket has no way to give up.
    try wait.untilReady(listener, POLLIN)
    let accepted = try wait.retrying("accept4", on: listener, POLLIN) {
      Int(accept4(listener, nil, nil, Int32(SOCK_CLOEXEC.rawValue)))
    }
    return BlockingPeer(adopting: Int32(accepted), patience: patience)
  }

  /// Closes the socket; what waits in its queue is reset. Again is harmless.
  public func close() {
    let descriptor = descriptor.exchange(-1, ordering: .relaxed)
    if descriptor >= 0 { Glibc.close(descriptor) }
  }
}
