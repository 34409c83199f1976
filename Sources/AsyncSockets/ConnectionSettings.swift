/// What the connections of a listener have in common, kept once for all of them.
package final class ConnectionSettings: Sendable {
  let options: ConnectionOptions
  let localAddress: SocketAddress?
  /// What the server's admission called the connection.
  let tag: String?
  /// Whether its limits were set for this one connection, and do not follow those of the server.
  let hasOwnLimits: Bool
  /// Whom to tell when the peer has been heard of.
  let onInput: InputNotice?
  /// What is noted for whoever lends the connection on, if somebody does.
  let loans: LoanRecord?

  /// What is to be told, and to whom.
  package enum InputNotice: Sendable {
    case bytes(@Sendable () -> Void)
    case firstFrame(@Sendable () -> Void)
  }

  package convenience init(options: ConnectionOptions, localAddress: SocketAddress?) {
    self.init(options: options, localAddress: localAddress, tag: nil)
  }

  init(
    options: ConnectionOptions, localAddress: SocketAddress?, tag: String?, hasOwnLimits: Bool = false,
    onInput: InputNotice? = nil, loans: LoanRecord? = nil
  ) {
    self.options = options
    self.localAddress = localAddress
    self.tag = tag
    self.hasOwnLimits = hasOwnLimits
    self.onInput = onInput
    self.loans = loans
  }

  func with(_ limits: ConnectionLimits, areOwn: Bool) -> ConnectionSettings {
    var options = options
    options.limits = limits
    return ConnectionSettings(
      options: options, localAddress: localAddress, tag: tag, hasOwnLimits: areOwn, onInput: onInput,
      loans: loans)
  }

  func with(onInput: InputNotice) -> ConnectionSettings {
    ConnectionSettings(
      options: options, localAddress: localAddress, tag: tag, hasOwnLimits: hasOwnLimits, onInput: onInput,
      loans: loans)
  }

  func with(loans: LoanRecord) -> ConnectionSettings {
    ConnectionSettings(
      options: options, localAddress: localAddress, tag: tag, hasOwnLimits: hasOwnLimits, onInput: onInput,
      loans: loans)
  }
}
