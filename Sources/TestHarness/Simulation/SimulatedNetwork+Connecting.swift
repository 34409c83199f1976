import AsyncSockets

// How connections begin: bind, listen, connect, accept.

extension SimulatedNetwork {
  mutating func bind(_ number: Int32, to address: SocketAddress) -> Int {
    guard let socket = socket(number) else { return Self.failure(.badDescriptor) }
    guard case .fresh = socket.role, socket.local == nil, socket.family == address.family else {
      return Self.failure(.invalidArgument)
    }
    if address.isUnix { return bindUnix(number, to: address) }
    let host = hosts[socket.host]
    let isOurs =
      address.isWildcard || address.isLoopback
      || [host.address, host.address6].contains(address.withPort(0))
    guard isOurs else { return Self.failure(.addressNotAvailable) }
    var address = address
    if address.port == 0 {
      guard let port = hosts[socket.host].ephemeralPort() else { return Self.failure(.addressInUse) }
      address = address.withPort(port)
    } else if isTaken(address, on: socket.host, sharing: socket.reusesAddress) {
      return Self.failure(.addressInUse)
    }
    hosts[socket.host].take(address.port ?? 0)
    sockets[Int(number)]?.local = address
    return 0
  }

  private mutating func bindUnix(_ number: Int32, to address: SocketAddress) -> Int {
    guard let host = socket(number)?.host else { return Self.failure(.badDescriptor) }
    if let path = address.path {
      guard hosts[host].files[path] == nil else { return Self.failure(.addressInUse) }
      lastPacket += 1
      hosts[host].files[path] = UInt(lastPacket)
    } else if isTaken(address, on: host) {
      return Self.failure(.addressInUse)
    }
    sockets[Int(number)]?.local = address
    return 0
  }

  /// Whether somebody has the address. Connections do not count; nor does, where both sides have `SO_REUSEADDR`, who has
  /// it and does not listen.
  private func isTaken(_ address: SocketAddress, on host: Int, sharing: Bool = false) -> Bool {
    sockets.contains { socket in
      guard let socket, socket.host == host, isAlive(socket), let local = socket.local else { return false }
      if case .stream = socket.role { return false }
      if case .fresh = socket.role, sharing, socket.reusesAddress { return false }
      if address.isUnix { return local == address }
      guard local.port == address.port, local.family == address.family else { return false }
      return local == address || local.isWildcard || address.isWildcard
    }
  }

  mutating func listen(_ number: Int32, backlog: Int) -> Int {
    guard let socket = socket(number) else { return Self.failure(.badDescriptor) }
    guard let local = socket.local, case .fresh = socket.role else { return Self.failure(.invalidArgument) }
    if !local.isUnix, let other = listener(at: local, on: socket.host), other != number {
      return Self.failure(.addressInUse)
    }
    sockets[Int(number)]?.role = .listening(backlog: backlog)
    listeners.append(number)
    trace.add(.call("listen", host: socket.host, .listener(local), result: 0), at: now)
    return 0
  }

  /// What a datagram socket is told that connects to a path.
  func probe(unixPath path: String, on host: Int) -> Int {
    guard hosts[host].files[path] != nil else { return Self.failure(.noSuchFile) }
    return Self.failure(isTaken(.unix(path: path), on: host) ? .wrongSocketType : .connectionRefused)
  }

  func listener(at address: SocketAddress, on host: Int) -> Int32? {
    listeners.first { number in
      guard let socket = socket(number), socket.host == host, let local = socket.local else { return false }
      if address.isUnix || local.isUnix { return local == address }
      return local.port == address.port && local.family == address.family
        && (local == address || local.isWildcard)
    }
  }

  mutating func connect(_ number: Int32, to address: SocketAddress) -> Int {
    guard let socket = socket(number) else { return Self.failure(.badDescriptor) }
    switch socket.role {
    case .fresh: break
    case .listening: return Self.failure(.invalidArgument)
    case .stream(let id):
      return streams[id].phase == .connecting ? Self.failure(.inProgress) : Self.failure(.alreadyConnected)
    }
    if address.isUnix { return connectUnix(number, to: address) }
    guard address.port != 0 else { return Self.failure(.connectionRefused) }
    let host = socket.host
    let remote = address.isWildcard ? Self.loopback(like: address) : address
    if socket.local == nil {
      guard let port = hosts[host].ephemeralPort() else { return Self.failure(.addressNotAvailable) }
      hosts[host].take(port)
      sockets[Int(number)]?.local = remote.withPort(port)
    }
    guard let bound = sockets[Int(number)]?.local else { return Self.failure(.badDescriptor) }
    let source = source(for: remote, on: host)
    let isChosen = socket.local.map { !$0.isWildcard } ?? false
    let local = isChosen ? bound : source.withPort(bound.port ?? 0)
    sockets[Int(number)]?.local = local
    let id = addStream(host: host, local: local, remote: remote, phase: .connecting, isInitiator: true)
    attach(id, to: number)
    trace.add(.connection("connect", host: host, remote, stream: id), at: now)
    transmit(.request, from: id)
    return Self.failure(.inProgress)
  }

  private func source(for remote: SocketAddress, on host: Int) -> SocketAddress {
    if remote.isLoopback { return Self.loopback(like: remote) }
    let host = hosts[host]
    return remote.family == host.address.family ? host.address : host.address6
  }

  private static func loopback(like address: SocketAddress) -> SocketAddress {
    let port = address.port ?? 0
    return address.family == SocketAddress.loopback().family ? .loopback(port: port) : .loopback6(port: port)
  }

  private mutating func connectUnix(_ number: Int32, to address: SocketAddress) -> Int {
    guard let host = socket(number)?.host else { return Self.failure(.badDescriptor) }
    guard let listener = listener(at: address, on: host),
      case .listening(let backlog)? = socket(listener)?.role
    else {
      let hasFile = address.path.map { hosts[host].files[$0] != nil } ?? true
      return Self.failure(hasFile ? .connectionRefused : .noSuchFile)
    }
    guard (socket(listener)?.queue.count ?? 0) <= backlog else { return Self.failure(.wouldBlock) }
    let client = addStream(
      host: host, local: .unix(path: ""), remote: address, phase: .open, isInitiator: true)
    let server = addStream(
      host: host, local: address, remote: .unix(path: ""), phase: .open, connection: lastConnection)
    streams[client].peer = server
    streams[server].peer = client
    attach(client, to: number)
    sockets[Int(listener)]?.queue.append(server)
    tell(listener)
    trace.add(.connection("connect", host: host, address, stream: client), at: now)
    return 0
  }

  /// Somebody asks to be connected.
  mutating func receiveRequest(_ client: Int) {
    let request = streams[client]
    guard phase(of: client) == .connecting, request.peer == nil,
      let host = host(at: request.remote, from: request.host)
    else { return }
    let listener = listener(at: request.remote, on: host)
    if let listener, case .listening(let backlog)? = socket(listener)?.role,
      (socket(listener)?.queue.count ?? 0) > backlog
    {
      // The queue is full: the packet is dropped, as with tcp_abort_on_overflow=0, and TCP sends it again.
      return repeatRequest(client)
    }
    let id = addStream(
      host: host, local: request.remote, remote: request.local, phase: listener == nil ? .dead : .open,
      connection: request.connection)
    streams[id].peer = client
    streams[client].peer = id
    guard let listener else {
      if request.remote.isLoopback {
        disturb(
          "\(name(ofStream: client)) is refused: nobody in the simulation listens on \(request.remote) of "
            + "\(hosts[host].name), and servers outside of it cannot be reached from inside")
      }
      return transmit(.refused, from: id)
    }
    // Where the way back is cut, it waits for the answer to get through.
    if !isBlocked(Route(from: host, to: request.host)) { offer(id, to: listener) }
    transmit(.accepted, from: id)
  }

  private mutating func offer(_ id: Int, to listener: Int32) {
    streams[id].isOffered = true
    sockets[Int(listener)]?.queue.append(id)
    tell(listener)
  }

  /// The answer to a request has got through.
  mutating func offerIfLate(_ id: Int) {
    guard !streams[id].isOffered, phase(of: id) == .open else { return }
    if let listener = listener(at: streams[id].local, on: streams[id].host) { return offer(id, to: listener) }
    // Nobody listens there any more.
    streams[id].phase = .dead
    transmit(.reset, from: id)
  }

  private mutating func repeatRequest(_ client: Int) {
    let begin = streams[client].began.nanoseconds
    let next = begin + Retransmission.connecting.next(after: now.nanoseconds - begin + 1)
    events.insert(.arrival(.request, from: client), due: EventLoop.Instant(nanoseconds: next))
    if !streams[client].isImpatient {
      streams[client].isImpatient = true
      let end = EventLoop.Instant(nanoseconds: begin + Retransmission.connecting.patience)
      events.insert(.impatience(stream: client, packet: 0), due: end)
    }
  }

  mutating func accept(_ number: Int32) -> (result: Int, peer: SocketAddress?) {
    guard let listener = socket(number) else { return (Self.failure(.badDescriptor), nil) }
    guard case .listening = listener.role else { return (Self.failure(.invalidArgument), nil) }
    if let interruption = interruption() { return (interruption, nil) }
    guard let id = listener.queue.first else { return (Self.failure(.wouldBlock), nil) }
    var accepted = SimulatedSocket(host: listener.host, process: listener.process, family: listener.family)
    accepted.local = streams[id].local
    accepted.options = listener.options
    let result = open(accepted)
    guard result >= 0 else {
      if let local = listener.local {
        trace.add(.call("accept", host: listener.host, .listener(local), result: result), at: now)
      }
      return (result, nil)
    }
    trace.add(.connection("accept", host: listener.host, streams[id].local, stream: id), at: now)
    sockets[Int(number)]?.queue.removeFirst()
    attach(id, to: Int32(result))
    beginKeepAlive(Int32(result))
    return (result, streams[id].remote)
  }

  private mutating func addStream(
    host: Int, local: SocketAddress, remote: SocketAddress, phase: SimulatedStream.Phase,
    isInitiator: Bool = false, connection: Int? = nil
  ) -> Int {
    if connection == nil { lastConnection += 1 }
    let capacity = 4096 << Int.random(in: 0...6, using: &random)
    streams.append(
      SimulatedStream(
        connection: connection ?? lastConnection, host: host, crashes: hosts[host].crashes,
        isInitiator: isInitiator, began: now, local: local, remote: remote, phase: phase, capacity: capacity))
    return streams.count - 1
  }

  private mutating func attach(_ id: Int, to number: Int32) {
    sockets[Int(number)]?.role = .stream(id)
    streams[id].descriptor = number
  }
}
