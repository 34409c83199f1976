/// What ran on a host of a simulation has ended with it: ``SimulatedHost/crash()``, ``SimulatedHost/kill()``.
public struct HostCrashed: Error, Hashable, Sendable, CustomStringConvertible {
  /// The host's name.
  public let host: String

  /// In words, with the host.
  public var description: String {
    "\(host) has crashed, or its process was killed: what ran on it has ended"
  }
}
