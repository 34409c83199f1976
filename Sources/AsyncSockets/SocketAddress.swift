/// Where a socket listens or a peer is: an IPv4 or IPv6 address with a port, or a Unix socket's path.
public struct SocketAddress: Hashable, Sendable {
  enum Storage: Hashable, Sendable {
    case ipv4(UInt32, port: UInt16)
    case ipv6(high: UInt64, low: UInt64, scope: UInt32, port: UInt16)
    case unix(String)
  }

  let storage: Storage

  init(_ storage: Storage) { self.storage = storage }

  /// The loopback address of IPv4, `127.0.0.1`; port 0 lets the system choose one.
  public static func loopback(port: UInt16 = 0) -> SocketAddress {
    SocketAddress(.ipv4(0x7f00_0001, port: port))
  }

  /// The loopback address of IPv6, `::1`; port 0 lets the system choose one.
  public static func loopback6(port: UInt16 = 0) -> SocketAddress {
    SocketAddress(.ipv6(high: 0, low: 1, scope: 0, port: port))
  }

  /// Every IPv4 address of this machine, `0.0.0.0`.
  public static func any(port: UInt16 = 0) -> SocketAddress {
    SocketAddress(.ipv4(0, port: port))
  }

  /// Every IPv6 address of this machine, `::` (IPv6 alone; IPv4 wants an address of its own).
  public static func any6(port: UInt16 = 0) -> SocketAddress {
    SocketAddress(.ipv6(high: 0, low: 0, scope: 0, port: port))
  }

  /// A Unix socket in the file system; at most 107 bytes, else the call that uses it throws.
  ///
  /// A listener makes the file and removes it when it closes. A process that is killed leaves it behind, and the next
  /// one is told `EADDRINUSE` until somebody removes it.
  public static func unix(path: String) -> SocketAddress {
    SocketAddress(.unix(path))
  }

  var isWildcard: Bool {
    switch storage {
    case .ipv4(let address, _): address == 0
    case .ipv6(let high, let low, _, _): high == 0 && low == 0
    case .unix: false
    }
  }

  /// The port, in host order; `nil` for a Unix socket.
  public var port: UInt16? {
    switch storage {
    case .ipv4(_, let port), .ipv6(_, _, _, let port): port
    case .unix: nil
    }
  }

  /// The path of a Unix socket; empty for an unnamed one, `nil` for an internet address.
  public var path: String? {
    if case .unix(let path) = storage { path } else { nil }
  }

  /// The address without its port: `127.0.0.1`, `::1`, or the path of a Unix socket.
  public var host: String {
    switch storage {
    case .ipv4(let address, _): Self.text(ipv4: address)
    case .ipv6(let high, let low, let scope, _):
      Self.text(ipv6: high, low) + (scope == 0 ? "" : "%\(scope)")
    case .unix(let path): path
    }
  }
}

extension SocketAddress: CustomStringConvertible {
  /// `127.0.0.1:80`, `[::1]:80` or `unix:/path`.
  public var description: String {
    switch storage {
    case .ipv4(_, let port): "\(host):\(port)"
    case .ipv6(_, _, _, let port): "[\(host)]:\(port)"
    case .unix(let path): path.isEmpty ? "unix:(unnamed)" : "unix:\(path)"
    }
  }
}
