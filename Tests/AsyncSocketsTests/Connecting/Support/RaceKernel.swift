import Glibc
import Peers
import TestHarness

@testable import AsyncSockets

/// A network with hosts of a test's own: it says which addresses answer, when and what.
///
/// Under each socket is one end of a socket pair. While an attempt is under way its end has no room to write; when the
/// test ends the attempt it makes room, and epoll tells of that as it would of a real connection.
final class RaceKernel: Kernel {
  private struct Socket {
    let near: Int32
    let far: Int32
    var address: SocketAddress?
    var error: Int32 = 0
  }

  private struct State {
    /// What `connect` answers at once, where not "in progress".
    var answers: [SocketAddress: [Int32]] = [:]
    var sockets: [Socket] = []
    var attempts: [SocketAddress] = []
  }

  private let state = Lock(State())

  deinit {
    for socket in state.withLock({ $0.sockets }) { close(socket.far) }
  }

  /// What was tried, in order.
  var attempts: [SocketAddress] { state.withLock { $0.attempts } }

  /// The next connects to an address are answered at once: 0, or an errno.
  func answer(_ address: SocketAddress, _ answers: Int32...) {
    state.withLock { $0.answers[address] = answers }
  }

  /// Ends the attempt that is under way: with success, or with an errno.
  func end(_ address: SocketAddress, with error: Int32 = 0) {
    let far = state.withLock { state -> Int32? in
      guard let index = state.sockets.lastIndex(where: { $0.address == address }) else { return nil }
      state.sockets[index].error = error
      return state.sockets[index].far
    }
    if let far { _ = drain(far) }
  }

  /// How many attempts have not given their sockets back.
  var openCount: Int {
    state.withLock { $0.sockets.map(\.far) }.count { hasPeer($0) }
  }

  /// Whether the last socket that was connected to an address is still open.
  func isOpen(_ address: SocketAddress) -> Bool {
    let far = state.withLock { $0.sockets.last { $0.address == address }?.far }
    return far.map(hasPeer) ?? false
  }

  private func hasPeer(_ far: Int32) -> Bool {
    var entry = pollfd(fd: far, events: 0, revents: 0)
    return unsafe poll(&entry, 1, 0) == 0
  }

  private func drain(_ far: Int32) -> Int {
    unsafe withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 1) { buffer in
      var total = 0
      while case let count = unsafe recv(far, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT)),
        count > 0
      {
        total += count
      }
      return total
    }
  }

  // MARK: The calls

  func socket(family: Int32) -> Int {
    guard let (near, far) = try? socketPair() else { return -Int(EMFILE) }
    _ = fcntl(near, F_SETFL, O_NONBLOCK)
    state.withLock { $0.sockets.append(Socket(near: near, far: far)) }
    return Int(near)
  }

  func connect(_ descriptor: Int32, to address: SocketAddress) -> Int {
    let answer = state.withLock { state -> Int32? in
      state.attempts.append(address)
      if let index = state.sockets.lastIndex(where: { $0.near == descriptor }) {
        state.sockets[index].address = address
      }
      guard var answers = state.answers[address], !answers.isEmpty else { return nil }
      defer { state.answers[address] = answers }
      return answers.removeFirst()
    }
    if let answer { return -Int(answer) }
    let chunk = [UInt8](repeating: 0, count: 4096)
    while unsafe Glibc.send(descriptor, chunk, chunk.count, Int32(MSG_DONTWAIT)) > 0 {}
    return -Int(EINPROGRESS)
  }

  func pendingError(_ descriptor: Int32) -> Int {
    -Int(state.withLock { $0.sockets.last { $0.near == descriptor }?.error } ?? EBADF)
  }

  func bind(_ descriptor: Int32, to address: SocketAddress) -> Int { 0 }

  func setOption(_ descriptor: Int32, level: Int32, name: Int32, value: Int32) -> Int { 0 }

  func localAddress(_ descriptor: Int32) -> SocketAddress? { .loopback(port: 1) }
}

/// Names of a test's own.
struct StaticResolver: Resolver {
  let names: [String: [SocketAddress]]

  func resolve(_ host: String, port: UInt16) async throws -> [SocketAddress] {
    guard let addresses = names[host] else {
      throw SocketError.unresolved(host: host, reason: "not in the table")
    }
    return addresses.map { $0.withPort(port) }
  }
}

/// A loop whose sockets are the kernel's of the test, and a connector on it that knows one host, `host`.
struct RaceTrack: Sendable {
  let kernel = RaceKernel()
  let clock = ManualClock()
  let loop: EventLoop
  let addresses: [SocketAddress]
  let connector: Connector

  /// - Parameter families: the family of each of the host's addresses, 4 or 6.
  init(_ families: [Int]) throws {
    addresses = try families.enumerated().map { index, family in
      try SocketAddress(host: family == 6 ? "2001:db8::\(index + 1)" : "192.0.2.\(index + 1)", port: 80)
    }
    loop = try EventLoop(clock: clock, kernel: kernel)
    let resolver = StaticResolver(names: ["host": addresses])
    connector = Connector(environment: Environment(loops: try EventLoopGroup([loop]), resolver: resolver))
  }

  /// Waits until so many attempts have begun and the race waits for what comes next.
  func untilTried(_ count: Int) async throws {
    try await eventually("\(count) attempts, not \(kernel.attempts.count)") {
      kernel.attempts.count == count && loop.census.deadlines == 1
    }
    await letSettle(loop)
  }
}

/// Runs `body` with a host that has such addresses, and sees that nothing is left of its attempts.
func withRaceTrack(_ families: [Int], _ body: (RaceTrack) async throws -> Void) async throws {
  let track = try RaceTrack(families)
  do {
    try await body(track)
    try await eventually("nothing is left: \(track.loop.census), \(track.kernel.openCount) open") {
      track.loop.census == EventLoop.Census(registrations: 0, deadlines: 0, abandonedConnections: 0)
        && track.kernel.openCount == 0
    }
  } catch {
    await track.loop.shutdown()
    throw error
  }
  await track.loop.shutdown()
}
