/// Why one of a host's addresses could not be connected to.
public struct ConnectFailure: Hashable, Sendable, CustomStringConvertible {
  /// The address that was tried.
  public let address: SocketAddress
  /// What it answered: `.failed` with the errno, or `.timedOut` when the deadline came first.
  public let error: SocketError

  package init(address: SocketAddress, error: SocketError) {
    self.address = address
    self.error = error
  }

  /// The error, which names the address.
  public var description: String { error.description }
}
