public import AsyncSockets

/// What is known of a test server's client, while it is there and afterwards.
public struct ClientInfo: Hashable, Sendable, CustomStringConvertible {
  /// Clients are numbered from 1 in the order in which the server took them.
  public let id: Int
  /// The client's address.
  public let peerAddress: SocketAddress?
  /// The address of the server that it came to.
  public let localAddress: SocketAddress?
  /// How its connection ended; `nil` while it lives.
  public internal(set) var closeReason: CloseReason?

  /// `client 1 at 127.0.0.1:40404`.
  public var description: String { "client \(id) at \(peerAddress?.description ?? "an unknown address")" }
}
