import CLinux
import Glibc

/// An integer socket option of setsockopt(2).
struct SocketOption {
  let level: Int32
  let name: Int32
  let value: Int32

  /// What a listener sets before it binds. Accepted connections inherit `TCP_NODELAY`, which saves each of them a
  /// system call.
  static func ofListeners(_ address: SocketAddress) -> [SocketOption] {
    var options = [SocketOption(level: SOL_SOCKET, name: SO_REUSEADDR, value: 1)]
    switch address.storage {
    case .unix, .abstract: return []
    case .ipv6: options.append(SocketOption(level: CLINUX_IPPROTO_IPV6, name: IPV6_V6ONLY, value: 1))
    case .ipv4: break
    }
    options.append(SocketOption(level: CLINUX_IPPROTO_TCP, name: CLINUX_TCP_NODELAY, value: 1))
    return options
  }
}
