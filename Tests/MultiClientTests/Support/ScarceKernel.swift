import AsyncSockets
import MultiClient
import TestHarness

/// A kernel that is short of what a test says, and else the real one.
final class ScarceKernel: Kernel {
  struct Supply {
    var descriptorLimit: Int?
    var ports: ClosedRange<UInt16>?
    /// The next so many calls of connect(2) fail with this.
    var connectFailures = 0
    var connectError = Errno(rawValue: 99)
    var socketFailures = 0
    /// Connecting to these ports always fails so.
    var unreachable: Set<UInt16> = []
    var connects = 0
  }

  private let supply: Lock<Supply>

  init(_ supply: Supply = Supply()) { self.supply = Lock(supply) }

  var connects: Int { supply.withLock { $0.connects } }

  func change(_ change: @Sendable (inout Supply) -> Void) { supply.withLock { change(&$0) } }

  func descriptorLimit(wanted: Int) -> Int? { supply.withLock { $0.descriptorLimit } }

  var ephemeralPorts: ClosedRange<UInt16>? { supply.withLock { $0.ports } }

  func socket(family: Int32) -> Int {
    let fails = supply.withLock { supply in
      supply.socketFailures -= 1
      return supply.socketFailures >= 0
    }
    // EMFILE
    return fails ? -24 : LinuxKernel.shared.socket(family: family)
  }

  func connect(_ descriptor: Int32, to address: SocketAddress) -> Int {
    let error = supply.withLock { supply -> Errno? in
      supply.connects += 1
      if let port = address.port, supply.unreachable.contains(port) { return supply.connectError }
      supply.connectFailures -= 1
      return supply.connectFailures >= 0 ? supply.connectError : nil
    }
    if let error { return -Int(error.rawValue) }
    return LinuxKernel.shared.connect(descriptor, to: address)
  }
}

/// Runs `body` with a loop of its own on that kernel as the environment, and sees that it holds nothing afterwards.
func withLoop<Result>(
  on kernel: ScarceKernel, clock: any LoopClock = MonotonicClock.shared,
  _ body: (EventLoop) async throws -> Result
) async throws -> Result {
  let loop = try EventLoop(clock: clock, kernel: kernel)
  let group = try EventLoopGroup([loop])
  let result: Result
  do {
    result = try await Environment.$current.withValue(Environment(loops: group)) { try await body(loop) }
    try await eventually("the loop holds nothing: \(loop.census)") {
      loop.census.registrations == 0 && loop.census.deadlines == 0 && loop.census.abandonedConnections == 0
    }
  } catch {
    await group.shutdown()
    throw error
  }
  await group.shutdown()
  return result
}
