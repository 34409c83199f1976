/// Addresses that are bound, and do not listen: connections to them are refused, nobody else gets them, and listeners of
/// ours may come and go on them, since those set `SO_REUSEADDR` as this does.
package final class PortReservation: Sendable {
  /// The addresses, with the port that the system chose if 0 was asked for.
  package let addresses: [SocketAddress]
  private let sockets: [BoundSocket]

  /// - Throws: `SocketError.failed` with the errno and the address; then none is held.
  package init(of addresses: [SocketAddress], on loop: EventLoop) throws(SocketError) {
    sockets = try Listener.open(addresses) { (socket: BoundSocket) in
      socket.address
    } close: { _ in
    } open: { address throws(SocketError) in
      try BoundSocket(address, kernel: loop.core.kernel)
    }
    self.addresses = sockets.map(\.address)
  }
}

private final class BoundSocket: Sendable {
  let address: SocketAddress
  private let descriptor: Descriptor

  init(_ address: SocketAddress, kernel: any Kernel) throws(SocketError) {
    try address.validate()
    let number = kernel.socket(family: address.family)
    guard number >= 0 else { throw .failed(Errno(Int32(-number)), call: "socket", address: address) }
    let descriptor = Descriptor(owning: Int32(number), of: kernel.descriptors)
    for option in SocketOption.ofListeners(address) {
      try option.apply(to: descriptor.number, kernel: kernel, address: address)
    }
    let result = kernel.bind(descriptor.number, to: address)
    guard result >= 0 else { throw .failed(Errno(Int32(-result)), call: "bind", address: address) }
    self.address = kernel.localAddress(descriptor.number) ?? address
    self.descriptor = descriptor
  }
}
