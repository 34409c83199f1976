import Peers
import TestHarness
import TestSupport

@testable import AsyncSockets

/// A listener and the loop that watches it.
struct Door: Sendable {
  let listener: Listener
  let loop: EventLoop

  var address: SocketAddress { listener.address }

  func accept(on loop: EventLoop, options: ConnectionOptions = ConnectionOptions()) async throws -> Connection
  {
    try await listener.accept(on: loop, options: options)
  }

  func acceptNow(on loop: EventLoop, options: ConnectionOptions) throws(SocketError) -> Listener.Attempt {
    try listener.acceptNow(on: loop, options: options)
  }

  func close() { listener.close() }

  /// Connects a peer, which nobody accepts yet.
  func connect() async throws -> BlockingPeer {
    try await onThread { [address] in try Network.connect(to: address) }
  }

  /// A peer and the connection to it.
  func pair(
    options: ConnectionOptions = ConnectionOptions()
  ) async throws -> (peer: BlockingPeer, connection: Connection) {
    let peer = try await connect()
    return (peer, try await accept(on: loop, options: options))
  }
}

/// Runs `body` with a listener on a loop of its own, on which nothing may be left.
func withListener(
  _ network: Network = .ipv4, backlog: Int = 4096, clock: any LoopClock = MonotonicClock.shared,
  kernel: (any Kernel)? = nil, _ body: (Door) async throws -> Void
) async throws {
  try await withLoop(clock: clock, kernel: kernel) { loop in
    let listener = try Listener.bind(to: network.freeAddress, on: loop, backlog: backlog)
    defer { listener.close() }
    try await body(Door(listener: listener, loop: loop))
  }
}
