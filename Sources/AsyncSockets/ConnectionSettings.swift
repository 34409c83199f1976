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

  /// What is to be told, and to whom.
  package enum InputNotice: Sendable {
    case firstBytes(@Sendable () -> Void)
    case firstFrame(@Sendable () -> Void)
  }

  package init(
    options: ConnectionOptions, localAddress: SocketAddress?, tag: String? = nil, hasOwnLimits: Bool = false,
    onInput: InputNotice? = nil
  ) {
    self.options = options
    self.localAddress = localAddress
    self.tag = tag
    self.hasOwnLimits = hasOwnLimits
    self.onInput = onInput
  }

  func with(_ limits: ConnectionLimits, areOwn: Bool) -> ConnectionSettings {
    var options = options
    options.limits = limits
    return ConnectionSettings(
      options: options, localAddress: localAddress, tag: tag, hasOwnLimits: areOwn, onInput: onInput)
  }

  func with(onInput: InputNotice) -> ConnectionSettings {
    ConnectionSettings(
      options: options, localAddress: localAddress, tag: tag, hasOwnLimits: hasOwnLimits, onInput: onInput)
  }
}
