/// A descriptor that is held for the day on which there is no other: without one, a process cannot even accept a
/// connection in order to refuse it.
package final class ReserveDescriptor: Sendable {
  private struct State: ~Copyable {
    var descriptor: Descriptor?
  }

  private let kernel: any Kernel
  private let state: Lock<State>

  package init(on loop: EventLoop) {
    kernel = loop.core.kernel
    state = Lock(State(descriptor: Self.open(loop.core.kernel)))
  }

  /// Calls `body` while the number is free, and takes it again. Somebody else may be quicker, on either way; then the
  /// next call tries again.
  func lend<Result>(_ body: () throws(SocketError) -> Result) throws(SocketError) -> Result {
    state.withLock { $0.descriptor = nil }
    defer { state.withLock { if $0.descriptor == nil { $0.descriptor = Self.open(kernel) } } }
    return try body()
  }

  private static func open(_ kernel: any Kernel) -> Descriptor? {
    let number = kernel.socket(family: SocketAddress.loopback().family)
    return number < 0 ? nil : Descriptor(owning: Int32(number), of: kernel.descriptors)
  }
}
