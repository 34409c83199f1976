import AsyncSockets

/// A host as the simulated network knows it.
struct SimulatedHostState {
  let name: String
  /// Its IPv4 and IPv6 addresses, with port 0.
  let address: SocketAddress
  let address6: SocketAddress
  static let ephemeralPorts: ClosedRange<UInt16> = 32_768...60_999

  var descriptorLimit = 1024
  var descriptors = 0
  /// Files of Unix sockets, with their inodes.
  var files: [String: UInt] = [:]
  private var ports: [UInt16: Int] = [:]
  private var nextPort: UInt16 = 32_768

  init(name: String, number: Int) {
    self.name = name
    let number = number + 1
    address = Self.address("10.0.\(number >> 8).\(number & 255)")
    address6 = Self.address("fd00::\(String(number, radix: 16))")
  }

  private static func address(_ text: String) -> SocketAddress {
    guard let address = try? SocketAddress(host: text, port: 0) else {
      preconditionFailure("\(text) is an address")
    }
    return address
  }

  /// A port that nobody has; `nil` when all of them are taken.
  mutating func ephemeralPort() -> UInt16? {
    for _ in Self.ephemeralPorts {
      let port = nextPort
      nextPort = port == Self.ephemeralPorts.upperBound ? Self.ephemeralPorts.lowerBound : port + 1
      if ports[port] == nil { return port }
    }
    return nil
  }

  mutating func take(_ port: UInt16) { ports[port, default: 0] += 1 }

  mutating func give(_ port: UInt16) {
    let count = (ports[port] ?? 1) - 1
    ports[port] = count == 0 ? nil : count
  }
}
