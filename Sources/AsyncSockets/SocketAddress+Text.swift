// One text for each address, which is read back as the same address.

extension SocketAddress: CustomStringConvertible {
  /// `127.0.0.1:80`, `[fe80::1%2]:80`, `unix:/path`, `unix:@name` in the abstract namespace, or `unix:(unnamed)`.
  ///
  /// `SocketAddress(_:)` reads it back as the same address.
  public var description: String {
    switch storage {
    case .ipv4(_, let port): "\(host):\(port)"
    case .ipv6(_, _, _, let port): "[\(host)]:\(port)"
    case .unix(""): Self.unixPrefix + Self.unnamed
    // A relative path may look like something else; with "./" before it, it does not.
    case .unix(let path): Self.unixPrefix + (Self.isMistakable(path) ? "./" : "") + path
    case .abstract(let name): Self.unixPrefix + "@" + name
    }
  }

  /// The address without its port: `127.0.0.1`, `::1`, the path of a Unix socket, or `@` and its abstract name.
  public var host: String {
    switch storage {
    case .ipv4(let address, _): Self.text(ipv4: address)
    case .ipv6(let high, let low, let scope, _):
      Self.text(ipv6: high, low) + (scope == 0 ? "" : "%\(scope)")
    case .unix(let path): path
    case .abstract(let name): "@" + name
    }
  }
}

extension SocketAddress {
  private static let unixPrefix = "unix:"
  private static let unnamed = "(unnamed)"

  /// Reads an address: `127.0.0.1:80`, `[::1]:80`, `[fe80::1%eth0]:80`, `unix:/path`, or `unix:@name` for a name in
  /// the abstract namespace.
  ///
  /// Names of hosts are not looked up: that is what `Connection.connect(to:port:)` and `Resolver` do.
  ///
  /// - Throws: `SocketError.invalid`, which says what is wrong with the text.
  public init(_ text: String) throws(SocketError) {
    if text.hasPrefix(Self.unixPrefix) {
      let name = String(text.dropFirst(Self.unixPrefix.count))
      self = Self.unixSocket(name)
      if name != Self.unnamed { try validate() }
      return
    }
    guard let colon = text.lastIndex(of: ":") else {
      throw .invalid("the address \(text.debugDescription) has no port; write it like 127.0.0.1:80")
    }
    var host = text[..<colon]
    let digits = text[text.index(after: colon)...]
    if host.hasPrefix("[") {
      guard host.hasSuffix("]") else {
        throw .invalid(
          "the address \(text.debugDescription) has no port after its brackets; write it like [::1]:80")
      }
      host = host.dropFirst().dropLast()
      guard host.contains(":") else {
        throw .invalid("in \(text.debugDescription), brackets are around what is no IPv6 address")
      }
    } else if host.contains(":") {
      throw .invalid(
        "the IPv6 address in \(text.debugDescription) needs brackets and a port; write it like [::1]:80")
    }
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits)
    else {
      throw .invalid("the port in \(text.debugDescription) is no number from 0 to 65535")
    }
    try self.init(host: String(host), port: port)
  }

  private static func unixSocket(_ name: String) -> SocketAddress {
    if name == unnamed { return .unix(path: "") }
    if name.hasPrefix("@") { return .unix(abstract: String(name.dropFirst())) }
    return .unix(path: isMistakable(name) ? String(name.dropFirst(2)) : name)
  }

  /// Whether a path, but for any number of "./" before it, reads as an abstract or missing name.
  private static func isMistakable(_ path: String) -> Bool {
    var rest = path[...]
    while rest.hasPrefix("./") { rest = rest.dropFirst(2) }
    return rest.hasPrefix("@") || rest == unnamed
  }
}

extension SocketAddress: Codable {
  /// Reads what `encode(to:)` wrote, or any text that `SocketAddress(_:)` takes.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    do {
      try self.init(text)
    } catch {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
    }
  }

  /// Writes the address as one string, its `description`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
