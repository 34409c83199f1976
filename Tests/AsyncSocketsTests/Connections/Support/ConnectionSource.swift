import AsyncSockets
import Peers
import TestHarness

/// One listener that makes any number of connections.
struct ConnectionSource: Sendable {
  private let listener: Listener
  private let loop: EventLoop

  init(_ network: Network, on loop: EventLoop) throws {
    self.loop = loop
    listener = try Listener.bind(to: network.freeAddress, on: loop)
  }

  func close() { listener.close() }

  /// A peer that waits to be accepted, with something to read already sent.
  func connect(sending text: String = "") async throws -> BlockingPeer {
    try await onThread { [address = listener.address] in
      let peer = try Network.connect(to: address)
      try peer.send(text)
      return peer
    }
  }

  func accept(_ peer: BlockingPeer) async throws -> Link {
    Link(connection: try await listener.accept(on: loop), peer: peer, clock: ManualClock())
  }

  func next() async throws -> Link { try await accept(connect()) }
}
