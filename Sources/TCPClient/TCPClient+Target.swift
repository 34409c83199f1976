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

/// Several targets, and whose turn it is. Pure.
struct TargetRotation {
  private(set) var targets: [TCPClient.Target]
  private var index = 0

  init(_ targets: [TCPClient.Target]) { self.targets = targets }

  /// `nil` if there is none.
  var current: TCPClient.Target? { targets.isEmpty ? nil : targets[index] }

  mutating func advance() { index = targets.isEmpty ? 0 : (index + 1) % targets.count }

  func validate() throws(SocketError) {
    if targets.isEmpty { throw .invalid("a client needs at least 1 target, not 0") }
    for target in targets { try target.validate() }
  }
}
