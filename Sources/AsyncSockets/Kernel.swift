/// The system calls of the package, each answering as the kernel itself does: a count or descriptor, or `-errno`.
///
/// This is the seam at which a test plays the kernel: a conforming type overrides the calls that it scripts
/// and inherits the real ones for the rest. `EINTR` is an answer like any other here; `uninterrupted` above the
/// seam hides it.
package protocol Kernel: AnyObject, Sendable {
  func socket(family: Int32) -> Int
  func bind(_ descriptor: Int32, to address: SocketAddress) -> Int
  func listen(_ descriptor: Int32, backlog: Int32) -> Int
  func accept(_ descriptor: Int32, peer: inout SocketAddress?) -> Int
  func connect(_ descriptor: Int32, to address: SocketAddress) -> Int
  func receive(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Int
  func send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int
  func send(_ descriptor: Int32, gathering parts: [UnsafeRawBufferPointer]) -> Int
  func shutdownWrite(_ descriptor: Int32) -> Int
  func shutdownListening(_ descriptor: Int32) -> Int
  func setOption(_ descriptor: Int32, level: Int32, name: Int32, value: Int32) -> Int
  func getOption(
    _ descriptor: Int32, level: Int32, name: Int32, into buffer: UnsafeMutableRawBufferPointer
  ) -> Int
  func pendingError(_ descriptor: Int32) -> Int
  func setResetOnClose(_ descriptor: Int32) -> Int
  func localAddress(_ descriptor: Int32) -> SocketAddress?
  func peerAddress(_ descriptor: Int32) -> SocketAddress?
  func isOpen(_ descriptor: Int32) -> Bool
  func setNonblocking(_ descriptor: Int32) -> Int
  func unreadBytes(_ descriptor: Int32) -> Int
  func identity(ofFile path: String) -> FileIdentity?
  func unlink(_ path: String)
  func probe(unixPath path: String) -> Int

  /// Opens sockets of a family as the current task would, for whoever opens them later and in no task.
  func opener() -> @Sendable (_ family: Int32) -> Int
  /// How many descriptors may be open, after as many as `wanted` have been asked for; `nil` when only failing tells.
  func descriptorLimit(wanted: Int) -> Int?
  /// The ports that sockets get which do not ask for one.
  var ephemeralPorts: ClosedRange<UInt16>? { get }

  /// What closes the descriptors that the calls answer, where they are not the system's.
  var descriptors: DescriptorTable? { get }
  /// Where a loop waits for the descriptors to become ready.
  func makePoller() throws(SocketError) -> any Poller
}

extension Kernel {
  package func opener() -> @Sendable (_ family: Int32) -> Int { { [self] in socket(family: $0) } }

  package func descriptorLimit(wanted: Int) -> Int? { DescriptorLimit.raise(to: wanted) }

  package var ephemeralPorts: ClosedRange<UInt16>? { EphemeralPorts.range }

  package var descriptors: DescriptorTable? { nil }

  package func makePoller() throws(SocketError) -> any Poller { try Epoll() }
}

/// Tells a file from one that has taken its path.
package struct FileIdentity: Equatable, Sendable {
  let device: UInt
  let inode: UInt
  let isSocket: Bool

  package init(device: UInt, inode: UInt, isSocket: Bool) {
    self.device = device
    self.inode = inode
    self.isSocket = isSocket
  }
}

/// Repeats a system call for as long as a signal interrupts it.
@inline(__always)
func uninterrupted(_ call: () -> Int) -> Int {
  while true {
    let result = call()
    if result != -Int(Errno.interrupted.rawValue) { return result }
  }
}

/// The kernel that this process runs on.
package final class LinuxKernel: Kernel {
  package static let shared = LinuxKernel()

  package init() {}
}
