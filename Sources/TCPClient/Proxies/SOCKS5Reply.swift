/// Why a SOCKS5 proxy has not connected, in its own terms (RFC 1928 §6).
public struct SOCKS5Reply: RawRepresentable, Hashable, Sendable {
  /// The number on the wire.
  public let rawValue: UInt8

  /// Any reply, assigned or not.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The connection stands.
  public static let succeeded = Self(rawValue: 0)
  /// The proxy itself has failed.
  public static let generalFailure = Self(rawValue: 1)
  /// The proxy's rules do not allow it.
  public static let notAllowed = Self(rawValue: 2)
  /// There is no way to the target's network.
  public static let networkUnreachable = Self(rawValue: 3)
  /// The target is not there, or its name is not known.
  public static let hostUnreachable = Self(rawValue: 4)
  /// Nobody listens on the target's port.
  public static let connectionRefused = Self(rawValue: 5)
  /// The time to live of a packet was over.
  public static let timeToLiveExpired = Self(rawValue: 6)
  /// The proxy does not know the command CONNECT.
  public static let commandNotSupported = Self(rawValue: 7)
  /// The proxy does not take names, or IPv6 addresses, or IPv4 addresses.
  public static let addressTypeNotSupported = Self(rawValue: 8)
}

extension SOCKS5Reply: CustomStringConvertible {
  /// The RFC's words, and the number.
  public var description: String {
    let words = [
      "succeeded", "general SOCKS server failure", "connection not allowed by ruleset", "network unreachable",
      "host unreachable", "connection refused", "TTL expired", "command not supported",
      "address type not supported",
    ]
    let index = Int(rawValue)
    return "\(index < words.count ? words[index] : "unassigned reply") (\(rawValue))"
  }
}
