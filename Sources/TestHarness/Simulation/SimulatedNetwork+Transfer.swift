import AsyncSockets

// What an open connection does: read, write, shut down, close.

extension SimulatedNetwork {
  mutating func receive(_ number: Int32, atMost limit: Int, _ take: (ArraySlice<UInt8>) -> Void) -> Int {
    guard let id = stream(of: number) else { return missing(number) }
    if let interruption = interruption() { return interruption }
    let result: Int
    if streams[id].unread > 0 {
      // All there is: a socket that gives less than was asked for has no more, epoll(7) promises.
      result = min(limit, streams[id].unread)
      take(streams[id].take(result))
      if streams[id].phase == .open { transmit(.room(result), from: id) }
    } else if let error = takeError(id) {
      result = error
    } else if streams[id].hasEnd || streams[id].phase == .dead {
      result = 0
    } else {
      return Self.failure(.wouldBlock)
    }
    trace.add(.call("read", host: streams[id].host, .stream(id), result: result), at: now)
    return result
  }

  /// - Parameter bytes: makes a copy of that many of the first bytes.
  mutating func send(_ number: Int32, count: Int, _ bytes: (Int) -> [UInt8]) -> Int {
    guard let id = stream(of: number) else { return missing(number) }
    if let interruption = interruption() { return interruption }
    if let error = takeError(id) {
      trace.add(.write(host: streams[id].host, stream: id, result: error, first: []), at: now)
      return error
    }
    if streams[id].phase == .dead || streams[id].hasSentEnd { return Self.failure(.brokenPipe) }
    guard streams[id].phase == .open, streams[id].room > 0 || count == 0 else {
      streams[id].awaitsRoom = true
      return Self.failure(.wouldBlock)
    }
    let result = portion(of: min(count, streams[id].room))
    streams[id].outstanding += result
    let taken = bytes(result)
    transmit(inPieces: taken, from: id)
    trace.add(
      .write(host: streams[id].host, stream: id, result: result, first: SimulationTrace.first(of: taken)),
      bytes: taken, at: now)
    return result
  }

  /// One write may become several packets.
  private mutating func transmit(inPieces bytes: [UInt8], from id: Int) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = portion(of: rest.count)
      transmit(.data(Array(rest.prefix(count))), from: id)
      rest = rest.dropFirst(count)
    }
  }

  mutating func shutdownWrite(_ number: Int32) -> Int {
    guard let id = stream(of: number) else { return missing(number) }
    guard streams[id].phase == .open else { return Self.failure(.notConnected) }
    sendEnd(id)
    return 0
  }

  private mutating func sendEnd(_ id: Int) {
    guard !streams[id].hasSentEnd else { return }
    streams[id].hasSentEnd = true
    transmit(.end, from: id)
    // The hang-up of both sides is news.
    tell(streams[id].descriptor)
  }

  mutating func pendingError(_ number: Int32) -> Int {
    stream(of: number).flatMap { takeError($0) } ?? 0
  }

  private mutating func takeError(_ id: Int) -> Int? {
    defer { streams[id].error = nil }
    return streams[id].error.map(Self.failure)
  }

  private func missing(_ number: Int32) -> Int {
    Self.failure(socket(number) == nil ? .badDescriptor : .notConnected)
  }

  /// - Parameter isDropped: whether nobody has asked for it.
  mutating func close(_ number: Int32, isDropped: Bool = false) {
    guard let socket = socket(number) else {
      // Its process has ended, and a process need not clean up to end.
      if isDropped, anySocket(number) != nil { excused += 1 }
      return release(number)
    }
    trace.add(.call(isDropped ? "drop" : "close", host: socket.host, subject(of: socket), result: 0), at: now)
    if isDropped, case .stream(let id) = socket.role {
      dropped.append(
        "\(name(ofStream: id)), by \(hosts[socket.host].name) at \(EventLoop.Instant(nanoseconds: 0).duration(to: now).briefly)"
      )
    }
    end(socket, number)
    release(number)
  }

  /// What a kernel does when nobody has a socket any more.
  mutating func end(_ socket: SimulatedSocket, _ number: Int32) {
    switch socket.role {
    case .fresh: break
    case .listening:
      listeners.removeAll { $0 == number }
      for id in socket.queue { closeStream(id, abortively: true) }
    case .stream(let id): closeStream(id, abortively: socket.resetsOnClose)
    }
    if let port = socket.local?.port, ownsPort(socket) { hosts[socket.host].give(port) }
  }

  private func subject(of socket: SimulatedSocket) -> SimulationTrace.Subject {
    switch socket.role {
    case .stream(let id): .stream(id)
    case .listening: socket.local.map { .listener($0) } ?? .socket
    case .fresh: .socket
    }
  }

  /// Accepted connections share the port of their listener.
  private func ownsPort(_ socket: SimulatedSocket) -> Bool {
    if case .stream(let id) = socket.role { streams[id].isInitiator } else { true }
  }

  private mutating func closeStream(_ id: Int, abortively: Bool) {
    streams[id].descriptor = nil
    streams[id].isClosed = true
    switch streams[id].phase {
    case .dead: break
    case .connecting: streams[id].phase = .dead
    case .open:
      // Linux answers input that nobody has read by a reset.
      if abortively || streams[id].unread > 0 {
        streams[id].phase = .dead
        transmit(.reset, from: id)
      } else {
        sendEnd(id)
      }
    }
    streams[id].received = []
    streams[id].firstUnread = 0
  }
}
