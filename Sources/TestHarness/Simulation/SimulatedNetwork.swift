import AsyncSockets

/// The hosts of a simulation, the sockets of their kernels, and the packets on their way between them.
///
/// Pure: it has its own time, which moves when it is told, and draws every choice from one seed.
struct SimulatedNetwork {
  private(set) var now = EventLoop.Instant(nanoseconds: 0)
  var random: SeededRandom
  let faults: SystemCallFaults
  var trace = SimulationTrace()

  var hosts: [SimulatedHostState] = []
  /// By name.
  private(set) var numbersOfHosts: [String: Int] = [:]
  private var hostNumbers: [SocketAddress: Int] = [:]

  /// By descriptor, lowest number first as in a real kernel, so that numbers are reused as soon as they are free.
  var sockets: [SimulatedSocket?] = [nil, nil, nil]
  private var freeDescriptors: [Int32] = []
  /// Descriptors of listeners, in the order in which they began.
  var listeners: [Int32] = []
  /// By number; what has ended keeps its place, since its packets may still be on their way.
  var streams: [SimulatedStream] = []

  var lastConnection = 0
  /// Connections that their users dropped without closing them.
  var dropped: [String] = []
  /// How many connections processes have dropped that had ended.
  var excused = 0

  /// Of which the name service has something else to say than which host has it.
  var names: [String: SimulatedName] = [:]
  /// Names that a fault keeps from being resolved.
  var unresolvedNames: Set<String> = []
  var wires: [Route: Wire] = [:]
  var standardConditions = LinkConditions()
  var events = NetworkEvents()
  var lastPacket = 0
  /// Descriptors with something to tell, in the order in which it happened.
  private var news: [Int32] = []

  init(seed: UInt64, faults: SystemCallFaults) {
    random = SeededRandom(seed: seed)
    self.faults = faults
  }

  mutating func chance(_ share: Double) -> Bool {
    share > 0 && Double.random(in: 0..<1, using: &random) < share
  }

  /// The answer of a call that a signal interrupts, now and then.
  mutating func interruption() -> Int? {
    chance(faults.interrupted) ? Self.failure(.interrupted) : nil
  }

  /// How many of so many bytes a call moves.
  mutating func portion(of count: Int) -> Int {
    count > 1 && chance(faults.short) ? .random(in: 1...count, using: &random) : count
  }

  static func failure(_ errno: Errno) -> Int { -Int(errno.rawValue) }
}

// MARK: - Hosts

extension SimulatedNetwork {
  mutating func addHost(_ name: String) -> Int {
    let number = hosts.count
    let host = SimulatedHostState(name: name, number: number)
    hosts.append(host)
    numbersOfHosts[name] = number
    hostNumbers[host.address] = number
    hostNumbers[host.address6] = number
    return number
  }

  /// Which host has an address, for somebody on `host`.
  func host(at address: SocketAddress, from host: Int) -> Int? {
    if address.isUnix || address.isLoopback { return host }
    return hostNumbers[address.withPort(0)]
  }
}

// MARK: - Descriptors

extension SimulatedNetwork {
  mutating func open(_ socket: SimulatedSocket) -> Int {
    guard hosts[socket.host].process == socket.process, hosts[socket.host].isRunning else {
      return Self.failure(.networkDown)
    }
    guard hosts[socket.host].descriptors < hosts[socket.host].mostDescriptors else {
      return Self.failure(.tooManyOpenFiles)
    }
    hosts[socket.host].descriptors += 1
    let number: Int32
    if let index = freeDescriptors.indices.min(by: { freeDescriptors[$0] < freeDescriptors[$1] }) {
      number = freeDescriptors.remove(at: index)
      sockets[Int(number)] = socket
    } else {
      number = Int32(sockets.count)
      sockets.append(socket)
    }
    return Int(number)
  }

  mutating func release(_ number: Int32) {
    guard let socket = anySocket(number) else { return }
    if isAlive(socket) { hosts[socket.host].descriptors -= 1 }
    sockets[Int(number)] = nil
    freeDescriptors.append(number)
  }

  /// An open socket, unless the process that had it has ended.
  func socket(_ number: Int32) -> SimulatedSocket? {
    guard let socket = anySocket(number), isAlive(socket) else { return nil }
    return socket
  }

  /// The same also where its process has ended, and who had it has not noticed yet.
  func anySocket(_ number: Int32) -> SimulatedSocket? {
    sockets.indices.contains(Int(number)) ? sockets[Int(number)] : nil
  }

  func isAlive(_ socket: SimulatedSocket) -> Bool { hosts[socket.host].process == socket.process }

  func stream(of number: Int32) -> Int? {
    if case .stream(let id)? = socket(number)?.role { id } else { nil }
  }
}

// MARK: - Time and readiness

extension SimulatedNetwork {
  enum Step {
    case events([(key: UInt64, events: Epoll.Events)])
    /// Nothing will ever happen by itself.
    case nothing
  }

  /// Lets time pass until something is ready, for at most so many nanoseconds (negative: without end).
  mutating func step(atMost limit: Int64) -> Step {
    deliverDue()
    let end = limit > 0 ? now.advanced(by: .nanoseconds(limit)) : nil
    while news.isEmpty, limit != 0 {
      guard let next = [events.next, end].compactMap(\.self).min() else { return .nothing }
      now = max(now, next)
      deliverDue()
      if let end, now >= end { break }
    }
    return .events(takeNews())
  }

  /// Time that the hosts' processors take.
  mutating func pass(_ duration: Duration) { now = now.advanced(by: duration) }

  private mutating func deliverDue() {
    while let event = events.popDue(now) { handle(event) }
  }

  /// Puts a descriptor into the list of those with news.
  mutating func tell(_ number: Int32?) {
    guard let number, anySocket(number)?.hasNews == false else { return }
    sockets[Int(number)]?.hasNews = true
    news.append(number)
  }

  private mutating func takeNews() -> [(key: UInt64, events: Epoll.Events)] {
    guard !news.isEmpty else { return [] }
    news.shuffle(using: &random)
    defer { news = [] }
    return news.compactMap { number in
      sockets[Int(number)]?.hasNews = false
      guard let key = anySocket(number)?.key else { return nil }
      let events = readiness(of: number)
      return events.isEmpty ? nil : (key, events)
    }
  }

  mutating func register(_ number: Int32, key: UInt64) -> Errno? {
    guard socket(number) != nil else { return .badDescriptor }
    sockets[Int(number)]?.key = key
    if !readiness(of: number).isEmpty { tell(number) }
    return nil
  }

  private func readiness(of number: Int32) -> Epoll.Events {
    // Whoever waits for a descriptor that is gone looks again, and is told so.
    guard let socket = socket(number) else { return .gone }
    switch socket.role {
    case .fresh: return [.writable, .hangUp]
    case .listening: return socket.queue.isEmpty ? [] : .readable
    case .stream(let id):
      let stream = streams[id]
      var events: Epoll.Events = []
      switch stream.phase {
      case .connecting: return []
      case .open: if stream.isWritable { events.insert(.writable) }
      case .dead: events.formUnion([.readable, .writable, .peerEnded, .hangUp])
      }
      if stream.unread > 0 || stream.hasEnd { events.insert(.readable) }
      if stream.hasEnd { events.insert(.peerEnded) }
      if stream.hasEnd && stream.hasSentEnd { events.insert(.hangUp) }
      if stream.error != nil { events.insert(.failed) }
      return events
    }
  }
}

extension Epoll.Events {
  fileprivate static let gone: Epoll.Events = [.readable, .writable, .peerEnded, .hangUp, .failed]
}

// MARK: - Options

extension SimulatedSocket.OptionName {
  /// `SO_REUSEADDR` of socket(7).
  static let reuseAddress = Self(level: 1, name: 2)
  /// `TCP_USER_TIMEOUT` of tcp(7).
  static let userTimeout = Self(level: 6, name: 18)
}

extension SimulatedNetwork {
  mutating func setOption(_ number: Int32, _ name: SimulatedSocket.OptionName, _ value: Int32) -> Int {
    guard socket(number) != nil else { return Self.failure(.badDescriptor) }
    sockets[Int(number)]?.options[name] = value
    if name == .keepAlive, let id = stream(of: number), streams[id].phase == .open { beginKeepAlive(number) }
    return 0
  }

  mutating func setResetOnClose(_ number: Int32) -> Int {
    guard socket(number) != nil else { return Self.failure(.badDescriptor) }
    sockets[Int(number)]?.resetsOnClose = true
    return 0
  }
}
