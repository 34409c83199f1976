extension TCPClient {
  /// Where a server is.
  public enum Target: Hashable, Sendable {
    /// A name, looked up for each attempt, or a numeric address; and a port from 1 to 65535.
    case host(String, port: UInt16)
    /// An address, of a Unix socket perhaps.
    case address(SocketAddress)

    func validate() throws(SocketError) {
      switch self {
      case .host(let host, let port):
        if host.isEmpty { throw .invalid("the host to connect to is empty; give its name or address") }
        if port == 0 { throw .invalid("the port to connect to at \(host) is 0, where nobody can listen") }
      case .address(let address):
        if address.port == 0 {
          throw .invalid("the port to connect to at \(address.host) is 0, where nobody can listen")
        }
      }
    }
  }
}

extension TCPClient.Target: CustomStringConvertible {
  /// `feed.example:7000`, or the address.
  public var description: String {
    switch self {
    case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .address(let address): address.description
    }
  }
}
