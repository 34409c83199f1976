import AsyncSockets

/// Where a connection is to go: an address, or a host's name and a port.
///
/// ```swift
/// let targets: [Target] = [.address(.loopback(port: 7)), .host("example.org", port: 80)]
/// ```
public enum Target: Hashable, Sendable {
  /// An address, of IPv4, IPv6 or a Unix socket.
  case address(SocketAddress)
  /// A host that is looked up, and its addresses tried one after the other; a numeric address is taken as it is.
  case host(String, port: UInt16)

  /// The host as it was given; of a Unix socket the path or name.
  public var host: String {
    switch self {
    case .address(let address): address.host
    case .host(let name, _): name
    }
  }

  /// The port as it was given; `nil` for a Unix socket.
  public var port: UInt16? {
    switch self {
    case .address(let address): address.port
    case .host(_, let port): port
    }
  }
}

extension Target: CustomStringConvertible {
  /// `127.0.0.1:7`, `example.org:80`.
  public var description: String {
    switch self {
    case .address(let address): address.description
    case .host(let name, let port): name.contains(":") ? "[\(name)]:\(port)" : "\(name):\(port)"
    }
  }
}

extension Target {
  /// What can be connected to without a look-up.
  ///
  /// - Throws: `SocketError.invalid` for what nobody can listen on.
  func address() throws(SocketError) -> SocketAddress? {
    if port == 0 { throw .invalid("the port to connect to at \(host) is 0, where nobody can listen") }
    switch self {
    case .address(let address):
      try address.validate()
      return address
    case .host(let name, let port):
      do throws(SocketError) {
        return try SocketAddress(host: name, port: port)
      } catch {
        // No name has a colon in it: that was to be an address.
        if name.contains(":") { throw error }
        return nil
      }
    }
  }
}
