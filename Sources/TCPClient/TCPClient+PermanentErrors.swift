extension TCPClient {
  /// Whether trying again does not help after an error, as far as anybody can know who does not know the protocol.
  ///
  /// It helps after a `SocketError` that tells of the network, the server or the name service, after
  /// `CorrelatorError.ended` and `FramingError.truncated`, which are ends of a connection, after a `SessionError` that
  /// tells of one, and after a `ProxyError` that says so (`isTransient`). It does not help after `EACCES` and `EPERM`
  /// (of all addresses of a host), after `SocketError.invalid` and others that tell of a
  /// mistake in the program, on an event loop that was stopped, and after any other error.
  public static func isPermanent(_ error: any Error) -> Bool {
    switch error {
    case let error as SocketError: isPermanent(error)
    case CorrelatorError.ended, FramingError.truncated: false
    case let error as SessionError: error.isPermanent
    case let error as ProxyError: !error.isTransient
    default: true
    }
  }

  private static func isPermanent(_ error: SocketError) -> Bool {
    switch error {
    case .invalid, .loopStopped, .busy, .switched, .finishedWriting, .outputFull: true
    case .failed(let errno, _, _): errno == .accessDenied || errno == .notPermitted
    case .connectFailed(_, let failures):
      !failures.isEmpty && failures.allSatisfy { isPermanent($0.error) }
    case .closed, .timedOut, .reset, .unresolved, .limit, .truncated, .unreadBytes: false
    }
  }
}
