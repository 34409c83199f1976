public import AsyncSockets

/// What a client tells of itself, beside the outcomes.
public enum ClientNotice: Hashable, Sendable {
  /// The process may not have as many descriptors as the window needs, though the soft limit was raised to the hard one
  /// (`RLIMIT_NOFILE`): the window is so large instead.
  case windowReduced(to: Int, descriptorLimit: Int)
  /// One destination can have fewer connections at once than the window is wide, since each takes a local port
  /// (`ip_local_port_range`); more wait until one is free. Further `sources` would help.
  case fewPorts(destination: SocketAddress, ports: Int, window: Int)
  /// The system is short of descriptors or memory, or of ports for a destination. Targets wait for them, and nobody
  /// fails for it. Told once, until `resumed`; a shortage that comes and goes is told each time.
  case paused(SocketError)
  /// What was short is there again.
  case resumed
  /// Limits that were set while it runs cannot work, and those before stay in force.
  case limitsRefused(SocketError)
}

extension ClientNotice: CustomStringConvertible {
  /// One line.
  public var description: String {
    switch self {
    case .windowReduced(let window, let limit):
      "the window is \(window), for the process may have no more than \(limit) descriptors (ulimit -Hn)"
    case .fewPorts(let destination, let ports, let window):
      "\(destination) can have \(ports.of("connection")) at once from here, fewer than the window of \(window): "
        + "each takes a local port of ip_local_port_range; name more sources"
    case .paused(let error): "waiting until there is more of what the system is short of: \(error)"
    case .resumed: "going on"
    case .limitsRefused(let error): "the limits stay as they were: \(error)"
    }
  }
}
