import AsyncSockets

/// Where a proxy is to connect to: a name that nobody here looks up, or an IP address.
struct ProxyTarget: Hashable, Sendable {
  let host: String
  let port: UInt16
  /// `nil` for a name.
  let address: SocketAddress?

  /// - Throws: `SocketError.invalid` for what no proxy can be asked for.
  init(host: String, port: UInt16) throws(SocketError) {
    do throws(SocketError) {
      self = try Self(SocketAddress(host: host, port: port))
    } catch  where !host.contains(":") {
      // Any other character could mean something to the proxy, such as the end of a line of its protocol.
      guard (1...255).contains(host.utf8.count), host.utf8.allSatisfy(Self.isOfNames) else {
        throw .invalid(
          "a proxy is asked for names of 1 to 255 ASCII letters, digits, dots, hyphens and underscores, not \(host.debugDescription)"
        )
      }
      self = try Self(host, port, address: nil)
    }
  }

  init(_ address: SocketAddress) throws(SocketError) {
    guard let port = address.port else {
      throw .invalid("a proxy connects to IP addresses and names, not to \(address)")
    }
    let host = address.host
    guard !host.contains("%") else {
      throw .invalid("the interface in \(address) means nothing to a proxy: leave it out")
    }
    try self.init(host, port, address: address)
  }

  private init(_ host: String, _ port: UInt16, address: SocketAddress?) throws(SocketError) {
    guard port != 0 else { throw .invalid("the port to connect to at \(host) is 0, where nobody can listen") }
    self.host = host
    self.port = port
    self.address = address
  }

  private static func isOfNames(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}

extension ProxyTarget: CustomStringConvertible {
  /// As HTTP has it (RFC 9110 §9.3.6): `internal.example:5432`, `[::1]:5432`.
  var description: String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}
