/// How to connect: by when, from where, with which options, and how addresses race.
///
/// ```swift
/// var connector = Connector()
/// connector.deadline = .after(.seconds(3))
/// let connection = try await connector.connect(to: "example.org", port: 80)
/// ```
///
/// `Connection.connect(to:port:)` does the same with every value as it is by default.
public struct Connector: Sendable {
  /// Limits, watermarks and socket options of the connections.
  public var options = ConnectionOptions()

  /// When to give up looking up and connecting, all in all; 10 s after the call by default.
  public var deadline = Deadline.after(.seconds(10))

  /// Where connections come from; the system chooses by default. With port 0 it chooses the port.
  public var localAddress: SocketAddress?

  /// How long one address of a host is tried alone before the next is tried beside it; 250 ms by default (RFC 8305
  /// §5), at least 10 ms.
  public var attemptDelay = Duration.milliseconds(250)

  /// How many addresses of the family that the resolver prefers are tried before one of the other; 1 by default.
  public var firstFamilyCount = 1

  /// The event loops and the resolver; those of the task that makes the connector by default.
  public var environment: Environment

  /// The defaults.
  public init(environment: Environment = .current) {
    self.environment = environment
  }

  /// Connects to an address.
  ///
  /// The connection lives on the event loop that the caller runs on, if it is one of the environment's, else on the
  /// next of them in turn. A Unix listener whose accept queue is full is tried again until the deadline.
  ///
  /// - Throws: `SocketError.failed` with the errno and the address (`ECONNREFUSED` …), `.timedOut` at the deadline,
  ///   `.invalid` for a value that cannot work; `.loopStopped`; `CancellationError`. Nothing stays open then.
  public func connect(to address: SocketAddress) async throws -> Connection {
    try validate(address)
    let loop = try loop
    do {
      return try await race(among: [address], on: loop, until: deadline.instant(now: loop.now))
    } catch let failure as ConnectRace.Failure {
      throw failure.failures.first?.error ?? .timedOut(operation: "connect \(address)")
    }
  }

  /// Looks up a host's addresses and connects to the first that answers: Happy Eyeballs version 2, RFC 8305.
  ///
  /// A numeric address (`192.0.2.1`, `::1`, `fe80::1%eth0`) is taken as it is, and no resolver is asked.
  ///
  /// - Parameters:
  ///   - host: a name or a numeric address, without brackets.
  ///   - port: from 1 to 65535.
  /// - Throws: `SocketError.unresolved` when the name has no address, `.connectFailed` with each address that was
  ///   tried and its errno, `.timedOut` when the deadline came before any was tried, `.invalid` for a value that
  ///   cannot work; what the environment's resolver throws; `CancellationError`. Nothing stays open then.
  public func connect(to host: String, port: UInt16) async throws -> Connection {
    try validate()
    guard port != 0 else { throw Self.noPort(host) }
    let loop = try loop
    let deadline = deadline.instant(now: loop.now)
    let addresses = try await addresses(of: host, port: port, on: loop, until: deadline)
    do {
      return try await race(among: addresses, on: loop, until: deadline)
    } catch let failure as ConnectRace.Failure {
      if failure.failures.isEmpty { throw SocketError.timedOut(operation: "connect \(host)") }
      throw SocketError.connectFailed(host: host, failure.failures)
    }
  }

  /// Connects to an address, and closes the connection when `body` is left: in good order when it returns; by an
  /// error or a cancellation it flushes for at most a second, then resets.
  ///
  /// - Returns: what `body` returns.
  /// - Throws: as `connect(to:)`, or what `body` throws.
  public func withConnection<Result>(
    to address: SocketAddress, _ body: (Connection) async throws -> Result
  ) async throws -> Result {
    try await connect(to: address).closing(after: body)
  }

  /// Connects to a host, and closes the connection when `body` is left; see `withConnection(to:_:)` and
  /// `connect(to:port:)`.
  public func withConnection<Result>(
    to host: String, port: UInt16, _ body: (Connection) async throws -> Result
  ) async throws -> Result {
    try await connect(to: host, port: port).closing(after: body)
  }
}

extension Connector {
  private func race(
    among addresses: [SocketAddress], on loop: EventLoop, until deadline: EventLoop.Instant?
  ) async throws -> Connection {
    var race = ConnectRace(among: addresses, on: loop, deadline: deadline, connector: self)
    let winner = try await race.run()
    return try winner.takeConnection(on: loop, options: options)
  }

  private func addresses(
    of host: String, port: UInt16, on loop: EventLoop, until deadline: EventLoop.Instant?
  ) async throws -> [SocketAddress] {
    if let address = try numericAddress(host, port: port) {
      try validate(address)
      return [address]
    }
    let found = try await resolve(host, port: port, on: loop, until: deadline)
    for address in found { try address.validate() }
    let usable = found.filter { localAddress == nil || $0.family == localAddress?.family }
    if found.isEmpty { throw SocketError.unresolved(host: host, reason: "it has no address") }
    if let localAddress, usable.isEmpty {
      throw SocketError.invalid(
        "no address of \(host) is of the same family as localAddress, \(localAddress): "
          + found.map(\.description).joined(separator: ", "))
    }
    return HappyEyeballs.order(usable, firstFamilyCount: firstFamilyCount)
  }

  /// `nil` for a name.
  private func numericAddress(_ host: String, port: UInt16) throws(SocketError) -> SocketAddress? {
    do throws(SocketError) {
      return try SocketAddress(host: host, port: port)
    } catch {
      // No name has a colon in it: that was to be an address.
      if host.contains(":") { throw error }
      return nil
    }
  }

  /// Waits for the resolver until the deadline, which ends its task.
  private func resolve(
    _ host: String, port: UInt16, on loop: EventLoop, until deadline: EventLoop.Instant?
  ) async throws -> [SocketAddress] {
    try await withThrowingTaskGroup(of: [SocketAddress].self) { [environment] group in
      let answered = Latch()
      group.addTask {
        defer { answered.open() }
        return try await environment.resolver.resolve(host, port: port)
      }
      switch await answered.wait(until: deadline, on: loop) {
      case .opened: return try await group.next() ?? []
      case .timedOut: throw SocketError.timedOut(operation: "resolve \(host)")
      case .cancelled: throw CancellationError()
      }
    }
  }

  private var loop: EventLoop {
    get throws(SocketError) {
      let loop = try environment.loops.here()
      try loop.core.checkIsRunning()
      return loop
    }
  }

  // MARK: What can't work

  /// Throws what is wrong with it, whatever it is to connect to.
  package func validate() throws(SocketError) {
    try options.validate()
    guard attemptDelay >= .milliseconds(10) else {
      throw .invalid("attemptDelay must be at least 10 ms, not \(attemptDelay.exactly)")
    }
    guard firstFamilyCount > 0 else {
      throw .invalid("firstFamilyCount must be at least 1, not \(firstFamilyCount)")
    }
    if let localAddress, localAddress.isUnix {
      throw .invalid("localAddress must be an IPv4 or IPv6 address, not \(localAddress)")
    }
  }

  private func validate(_ address: SocketAddress) throws(SocketError) {
    try validate()
    try address.validate()
    if address.port == 0 { throw Self.noPort(address.host) }
    if let localAddress, localAddress.family != address.family {
      throw .invalid("localAddress, \(localAddress), is not of the same family as \(address)")
    }
  }

  private static func noPort(_ host: String) -> SocketError {
    .invalid("the port to connect to at \(host) is 0, where nobody can listen")
  }
}
