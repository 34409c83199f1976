public import AsyncSockets

/// A server that connects to others on a client's behalf: SOCKS5 (RFC 1928) or HTTP CONNECT (RFC 9110 §9.3.6).
///
/// ```swift
/// let proxy = Proxy.socks5("127.0.0.1", port: 1080, credentials: .init(username: "me", password: "secret"))
/// let connection = try await Connector().connect(to: "internal.example", port: 5432, through: proxy)
/// ```
///
/// The name of the target goes to the proxy as it is: who looks it up is the proxy, and nobody here. Everything after
/// the proxy's answer belongs to the target.
public struct Proxy: Hashable, Sendable {
  enum Scheme: String { case socks5, http }

  enum Location: Hashable {
    case host(String, port: UInt16)
    case address(SocketAddress)
  }

  let scheme: Scheme
  let location: Location
  let credentials: Credentials?

  /// A SOCKS5 proxy.
  ///
  /// - Parameters:
  ///   - host: a name, which is looked up here, or a numeric address.
  ///   - port: from 1 to 65535; 1080 by default.
  ///   - credentials: offered beside no authentication, and sent in the clear if the proxy chooses them (RFC 1929).
  public static func socks5(_ host: String, port: UInt16 = 1080, credentials: Credentials? = nil) -> Proxy {
    Proxy(scheme: .socks5, location: .host(host, port: port), credentials: credentials)
  }

  /// A SOCKS5 proxy at an address, which may be a Unix socket.
  public static func socks5(at address: SocketAddress, credentials: Credentials? = nil) -> Proxy {
    Proxy(scheme: .socks5, location: .address(address), credentials: credentials)
  }

  /// An HTTP proxy that knows CONNECT, spoken to in the clear.
  ///
  /// - Parameters:
  ///   - host: a name, which is looked up here, or a numeric address.
  ///   - port: from 1 to 65535.
  ///   - credentials: sent at once, by the Basic scheme (RFC 7617).
  public static func http(_ host: String, port: UInt16, credentials: Credentials? = nil) -> Proxy {
    Proxy(scheme: .http, location: .host(host, port: port), credentials: credentials)
  }

  /// An HTTP proxy at an address, which may be a Unix socket.
  public static func http(at address: SocketAddress, credentials: Credentials? = nil) -> Proxy {
    Proxy(scheme: .http, location: .address(address), credentials: credentials)
  }
}

extension Proxy {
  func validate() throws(SocketError) {
    let (host, port): (String, UInt16?) =
      switch location {
      case .host(let host, let port): (host, port)
      case .address(let address): (address.host, address.port)
      }
    if case .host("", _) = location { throw .invalid("the proxy's host is empty; give its name or address") }
    if port == 0 { throw .invalid("the proxy's port, at \(host), is 0, where nobody can listen") }
  }
}

extension Proxy: CustomStringConvertible {
  /// Scheme and place, without credentials: `socks5://127.0.0.1:1080`.
  public var description: String {
    switch location {
    case .host(let host, let port) where host.contains(":"): "\(scheme)://[\(host)]:\(port)"
    case .host(let host, let port): "\(scheme)://\(host):\(port)"
    case .address(let address): "\(scheme)://\(address)"
    }
  }
}

extension Proxy {
  /// Who asks, for a proxy that lets not everybody in.
  public struct Credentials: Hashable, Sendable {
    /// For SOCKS5 1 to 255 bytes of UTF-8; for HTTP without a colon.
    public let username: String
    /// For SOCKS5 1 to 255 bytes of UTF-8.
    public let password: String

    /// Credentials, which are looked at when a connection is made.
    public init(username: String, password: String) {
      self.username = username
      self.password = password
    }
  }
}

extension Proxy.Credentials: CustomStringConvertible, CustomReflectable {
  /// The name alone, lest the password get into a log.
  public var description: String { "credentials of \(username)" }

  /// The name alone.
  public var customMirror: Mirror { Mirror(self, children: ["username": username]) }
}

extension Proxy {
  /// - Throws: `SocketError.invalid` for credentials that the protocol cannot carry.
  func handshake(for target: ProxyTarget) throws(SocketError) -> any ProxyHandshake {
    switch scheme {
    case .socks5: try SOCKS5Handshake(for: target, credentials: credentials)
    case .http: try HTTPConnectHandshake(for: target, credentials: credentials)
    }
  }
}
