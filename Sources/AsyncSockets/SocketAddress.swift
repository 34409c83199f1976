/// Where a socket listens or a peer is: an IPv4 or IPv6 address with a port, or a Unix socket's path or name.
///
/// ```swift
/// let address = try SocketAddress("[::1]:8080")
/// ```
///
/// One endpoint has one value: an IPv4 address mapped into IPv6 (`::ffff:192.0.2.7`, as dual-stack sockets show their
/// IPv4 peers) is the IPv4 address, however it was made.
public struct SocketAddress: Hashable, Sendable {
  enum Storage: Hashable, Sendable {
    case ipv4(UInt32, port: UInt16)
    case ipv6(high: UInt64, low: UInt64, scope: UInt32, port: UInt16)
    case unix(String)
    case abstract(String)
  }

  let storage: Storage

  init(_ storage: Storage) {
    if case .ipv6(0, let low, _, let port) = storage, low >> 32 == 0xffff {
      self.storage = .ipv4(UInt32(truncatingIfNeeded: low), port: port)
    } else {
      self.storage = storage
    }
  }

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
  /// listener takes it over.
  public static func unix(path: String) -> SocketAddress {
    SocketAddress(.unix(path))
  }

  /// A Unix socket without a file, in the abstract namespace of unix(7): the name is free again when the last
  /// descriptor closes, and anybody in the same network namespace may connect. At most 107 bytes of UTF-8.
  public static func unix(abstract name: String) -> SocketAddress {
    SocketAddress(.abstract(name))
  }
}

extension SocketAddress {
  /// The port, in host order; `nil` for a Unix socket.
  public var port: UInt16? {
    switch storage {
    case .ipv4(_, let port), .ipv6(_, _, _, let port): port
    case .unix, .abstract: nil
    }
  }

  /// The path of a Unix socket; empty for an unnamed one, `nil` for every other address.
  public var path: String? {
    if case .unix(let path) = storage { path } else { nil }
  }

  /// The name of a Unix socket in the abstract namespace, `nil` for every other address.
  public var abstractName: String? {
    if case .abstract(let name) = storage { name } else { nil }
  }

  /// The 4 or 16 bytes of an IP address, in network order, as protocols carry them; `nil` for a Unix socket.
  public var ipBytes: [UInt8]? {
    switch storage {
    case .ipv4(let address, _): ByteOrder.big.bytes(of: address)
    case .ipv6(let high, let low, _, _): ByteOrder.big.bytes(of: high) + ByteOrder.big.bytes(of: low)
    case .unix, .abstract: nil
    }
  }

  /// An IP address as protocols carry it: 4 or 16 bytes in network order.
  ///
  /// - Throws: `SocketError.invalid` for any other number of bytes.
  public init(ipBytes bytes: [UInt8], port: UInt16) throws(SocketError) {
    switch bytes.count {
    case 4: self.init(.ipv4(ByteOrder.big.integer(of: bytes), port: port))
    case 16:
      let (high, low) = (Array(bytes[..<8]), Array(bytes[8...]))
      self.init(
        .ipv6(
          high: ByteOrder.big.integer(of: high), low: ByteOrder.big.integer(of: low), scope: 0, port: port))
    default: throw .invalid("an IP address has 4 or 16 bytes, not \(bytes.count)")
    }
  }

  /// The same address with another port; a Unix socket, which has none, stays as it is.
  public func withPort(_ port: UInt16) -> SocketAddress {
    switch storage {
    case .ipv4(let address, _): SocketAddress(.ipv4(address, port: port))
    case .ipv6(let high, let low, let scope, _):
      SocketAddress(.ipv6(high: high, low: low, scope: scope, port: port))
    case .unix, .abstract: self
    }
  }

  /// Whom to count together with it: the same IPv4 address, or the same first 64 bits of IPv6, all of which one site
  /// has. `nil` for a Unix socket.
  package var site: UInt64? {
    switch storage {
    case .ipv4(let address, _): UInt64(address)
    // Never the number of an IPv4 address; the bit tells no two networks apart that are in use.
    case .ipv6(let high, _, _, _): high | 1 << 63
    case .unix, .abstract: nil
    }
  }

  package var isWildcard: Bool {
    switch storage {
    case .ipv4(let address, _): address == 0
    case .ipv6(let high, let low, _, _): high == 0 && low == 0
    case .unix, .abstract: false
    }
  }

  package var isLoopback: Bool {
    switch storage {
    case .ipv4(let address, _): address >> 24 == 127
    case .ipv6(let high, let low, _, _): high == 0 && low == 1
    case .unix, .abstract: false
    }
  }

  package var isUnix: Bool { port == nil }
}

extension SocketAddress: Comparable {
  /// IPv4 before IPv6 before paths before abstract names; addresses by number, then by port.
  public static func < (left: SocketAddress, right: SocketAddress) -> Bool {
    switch (left.storage, right.storage) {
    case (.ipv4(let a, let aPort), .ipv4(let b, let bPort)): (a, aPort) < (b, bPort)
    case (.ipv6(let aHigh, let aLow, let aScope, let a), .ipv6(let bHigh, let bLow, let bScope, let b)):
      (aHigh, aLow, aScope, a) < (bHigh, bLow, bScope, b)
    case (.unix(let a), .unix(let b)), (.abstract(let a), .abstract(let b)): a < b
    default: left.storage.rank < right.storage.rank
    }
  }
}

extension SocketAddress.Storage {
  fileprivate var rank: Int {
    switch self {
    case .ipv4: 4
    case .ipv6: 6
    case .unix: 8
    case .abstract: 9
    }
  }
}
