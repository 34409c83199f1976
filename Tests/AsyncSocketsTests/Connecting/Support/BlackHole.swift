import Glibc
import Peers

@testable import AsyncSockets

/// An address that swallows connection requests without a word: that of a listener whose accept queue is full.
struct BlackHole: Sendable {
  let address: SocketAddress
  private let listener: BlockingListener
  private let queued: [BlockingPeer]

  init() async throws {
    let listener = try BlockingListener(backlog: 0)
    self.listener = listener
    address = .loopback(port: listener.port)
    // A queue of length 0 holds one.
    queued = [try await onThread { try BlockingPeer.connect(port: listener.port) }]
  }

  func close() {
    for peer in queued { peer.close() }
    listener.close()
  }
}

/// Leaves a Unix socket at a path as a process that was killed does.
func leaveSocket(at path: String) throws {
  let listener = try BlockingListener(unixPath: path)
  listener.close()
}
