import AsyncSockets

/// A host as the simulated network knows it.
struct SimulatedHostState {
  let name: String
  /// Its IPv4 and IPv6 addresses, with port 0.
  let address: SocketAddress
  let address6: SocketAddress
  static let ephemeralPorts: ClosedRange<UInt16> = 32_768...60_999

  /// Whether the scenario knows it, and not its faults alone.
  var isAskedFor = false
  /// As the scenario has set it.
  var descriptorLimit = 1024
  /// That of a fault, for as long as it lasts.
  var scarcity: Int?
  /// Whether the scenario itself has ended its process: then the end of a fault does not boot it.
  var staysDown = false
  /// Those of the present process.
  var descriptors = 0
  /// Whether its kernel runs; while it does not, what is sent to it is lost.
  private(set) var isUp = true
  /// Whether its process runs.
  private(set) var isRunning = true
  /// Which process it runs, or has run last: descriptors of another are gone.
  private(set) var process = 0
  /// How often it has crashed: the present kernel knows no connection of an earlier one.
  private(set) var crashes = 0
  var time = HostTime()
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

  var mostDescriptors: Int { min(descriptorLimit, scarcity ?? .max) }

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

  /// Its process ends; its kernel goes on.
  mutating func endProcess() {
    process += 1
    isRunning = false
    descriptors = 0
  }

  /// Everything in it is gone at once.
  mutating func crash() {
    endProcess()
    isUp = false
    crashes += 1
    ports = [:]
    files = [:]
  }

  /// Begins a new process, on a new kernel if the old one has crashed.
  mutating func boot() {
    isUp = true
    isRunning = true
    staysDown = false
  }

  mutating func take(_ port: UInt16) { ports[port, default: 0] += 1 }

  mutating func give(_ port: UInt16) {
    let count = (ports[port] ?? 1) - 1
    ports[port] = count == 0 ? nil : count
  }
}
