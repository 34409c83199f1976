/// What the connections of a listener have in common, kept once for all of them.
package final class ConnectionSettings: Sendable {
  let options: ConnectionOptions
  let localAddress: SocketAddress?

  package init(options: ConnectionOptions, localAddress: SocketAddress?) {
    self.options = options
    self.localAddress = localAddress
  }
}
