public import AsyncSockets

/// A proxy that passes bytes on between clients and a server as they come, but for the faults that a test adds; see
/// ``withFaultProxy(to:on:seed:_:)``.
public final class FaultProxy: Sendable {
  /// Which way bytes go.
  public enum Direction: Hashable, Sendable, CaseIterable {
    /// From the client to the server.
    case upstream
    /// From the server to the client.
    case downstream
  }

  /// Which connections a fault is put on.
  public enum Reach: Hashable, Sendable {
    /// Those that there are, and those that will be.
    case allConnections
    /// Those for which the proxy has not connected to the server yet.
    case newConnections
  }

  private struct Entry {
    let id: Int
    let fault: Fault
    let direction: Direction
  }

  private struct State {
    var connections: [ProxiedConnection] = []
    var accepted = 0
    /// Those that new connections get.
    var faults: [Entry] = []
    var added = 0
  }

  /// Where it listens, for the client.
  public let address: SocketAddress
  /// The server behind it.
  public let upstreamAddress: SocketAddress

  private let seed: UInt64
  private let listener: Listener
  private let loop: EventLoop
  private let connector: Connector
  private let state = Lock(State())

  init(
    to upstream: SocketAddress, on address: SocketAddress, seed: UInt64, environment: Environment
  ) throws {
    if Self.reaches(upstream, listeningOn: address) {
      throw SocketError.invalid(
        "a fault proxy that listens on \(address) cannot have \(upstream) behind it, which is itself: "
          + "give it another port, or none, for which the system chooses one")
    }
    loop = try environment.loops.next()
    listener = try Listener.bind(to: address, on: loop)
    self.address = listener.address
    upstreamAddress = upstream
    self.seed = seed
    var connector = Connector(environment: environment)
    connector.options = Self.options
    self.connector = connector
  }

  /// Whether who connects to an address comes to who listens on another.
  private static func reaches(_ target: SocketAddress, listeningOn address: SocketAddress) -> Bool {
    guard target.port == address.port, address.port != 0 else { return false }
    if target == address { return true }
    guard address.isWildcard else { return false }
    let host = SimulatedHost.current
    return target.isLoopback || target.isWildcard
      || [host?.address, host?.address6].contains(target.withPort(0))
  }

  /// How long a receiver may take nothing is the test's business.
  private static var options: ConnectionOptions {
    var options = ConnectionOptions()
    options.limits.writeStall = nil
    return options
  }

  /// How many clients are connected to the server through it.
  public var connectionCount: Int { state.withLock { $0.connections.count } }

  // MARK: Faults

  /// What new connections get, in the order in which it acts.
  public var activeFaults: [Fault] { state.withLock { $0.faults.map(\.fault) } }

  /// Adds a fault, after those that are there: it concerns what they have not passed on yet.
  ///
  /// - Parameters:
  ///   - fault: what goes wrong.
  ///   - direction: which way.
  ///   - reach: on which connections; all by default.
  /// - Returns: the handle that removes it. It need not be kept.
  /// - Throws: `SocketError.invalid` for values that cannot be.
  @discardableResult
  public func add(
    _ fault: Fault, direction: Direction = .downstream, to reach: Reach = .allConnections
  ) throws(SocketError) -> ActiveFault {
    try fault.validate()
    let (entry, connections) = state.withLock { state in
      let entry = Entry(id: state.added, fault: fault, direction: direction)
      state.added += 1
      state.faults.append(entry)
      return (entry, reach == .allConnections ? state.connections : [])
    }
    for connection in connections { put(entry, on: connection) }
    return ActiveFault(fault: fault, id: entry.id, proxy: self)
  }

  /// Removes every fault; see ``ActiveFault/remove()``.
  public func removeAllFaults() {
    for id in state.withLock({ $0.faults.map(\.id) }) { remove(id) }
  }

  func remove(_ id: Int) {
    let (entry, connections) = state.withLock { state -> (Entry?, [ProxiedConnection]) in
      guard let index = state.faults.firstIndex(where: { $0.id == id }) else { return (nil, []) }
      return (state.faults.remove(at: index), state.connections)
    }
    guard let entry else { return }
    for connection in connections { connection.stream(entry.direction).remove(id: id) }
  }

  private func put(_ entry: Entry, on connection: ProxiedConnection) {
    // Each has its own, so that what one draws does not depend on what others do.
    var random = SeededRandom(seed: seed)
    for number in [connection.number, entry.id, entry.direction == .upstream ? 0 : 1] {
      random = SeededRandom(seed: random.next() ^ UInt64(number))
    }
    let stream = connection.stream(entry.direction)
    stream.add(entry.fault, id: entry.id, random: random)
    // It may have been removed meanwhile, from wherever it was by then.
    if !state.withLock({ $0.faults.contains { $0.id == entry.id } }) { stream.remove(id: entry.id) }
  }

  // MARK: Connections

  /// Serves until it is cancelled, and then resets what is left.
  func run() async {
    await withDiscardingTaskGroup { group in
      while let client = try? await listener.accept(on: loop, options: Self.options) {
        let number = state.withLock { state in
          defer { state.accepted += 1 }
          return state.accepted
        }
        group.addTask { await self.serve(client, number) }
      }
    }
  }

  func close() { listener.close() }

  var executor: any TaskExecutor { loop.executor }

  private func serve(_ client: Connection, _ number: Int) async {
    guard let server = try? await connector.connect(to: upstreamAddress) else { return client.abort() }
    let connection = ProxiedConnection(number: number, client: client, server: server, on: loop)
    let faults = state.withLock { state in
      state.connections.append(connection)
      return state.faults
    }
    for entry in faults { put(entry, on: connection) }
    await connection.run()
    state.withLock { $0.connections.removeAll { $0 === connection } }
  }
}
