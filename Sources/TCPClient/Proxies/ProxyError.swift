public import AsyncSockets

/// Why a proxy has not connected to its target.
public struct ProxyError: Error, Hashable, Sendable {
  /// The proxy that was asked.
  public let proxy: Proxy
  /// Where it was to connect to: `internal.example:5432`.
  public let target: String
  /// What went wrong.
  public let reason: Reason

  /// What may go wrong between here and a proxy's target.
  public enum Reason: Hashable, Sendable {
    /// The proxy itself could not be connected to.
    case unreachable(SocketError)
    /// The connection to the proxy failed before it had answered.
    case lost(SocketError)
    /// The proxy closed the connection before it had answered.
    case ended
    /// The proxy wants credentials, and none were given.
    case credentialsRequired
    /// The proxy does not take the credentials.
    case credentialsRejected
    /// A SOCKS5 proxy wants to be convinced by something else than a password.
    case noAuthenticationInCommon
    /// A SOCKS5 proxy says why.
    case refused(SOCKS5Reply)
    /// An HTTP proxy answers with a status that is not 2xx, in this line.
    case status(Int, line: String)
    /// The proxy does not speak the protocol; the text says where.
    case malformed(String)
  }

  /// Whether the same attempt may succeed later: a network, a proxy or a target that does not answer now, as opposed to
  /// credentials, rules or protocols that do not fit.
  public var isTransient: Bool {
    switch reason {
    case .unreachable(let error), .lost(let error): !TCPClient.isPermanent(error)
    case .ended: true
    case .credentialsRequired, .credentialsRejected, .noAuthenticationInCommon, .malformed: false
    case .refused(let reply):
      ![.notAllowed, .commandNotSupported, .addressTypeNotSupported].contains(reply)
    case .status(let code, _): code >= 500 || code == 408 || code == 429
    }
  }
}

extension ProxyError: CustomStringConvertible {
  /// One line with the target, the proxy and its answer.
  public var description: String { "cannot connect to \(target) through \(proxy): \(reason)" }
}

extension ProxyError.Reason: CustomStringConvertible {
  /// A few words.
  public var description: String {
    switch self {
    case .unreachable(let error): "the proxy can't be reached: \(error)"
    case .lost(let error): "the connection to the proxy failed: \(error)"
    case .ended: "the proxy closed the connection before it had answered"
    case .credentialsRequired: "the proxy wants credentials, and none were given"
    case .credentialsRejected: "the proxy does not take the credentials"
    case .noAuthenticationInCommon: "the proxy takes neither no authentication nor a password"
    case .refused(let reply): "\(reply)"
    case .status(_, let line): line
    case .malformed(let problem): "the proxy does not speak the protocol: \(problem)"
    }
  }
}
