import AsyncSockets

// Probes of connections on which nothing comes: socket(7), SO_KEEPALIVE; tcp(7), TCP_KEEPIDLE and its like.

extension SimulatedSocket.OptionName {
  static let keepAlive = Self(level: 1, name: 9)
  static let keepAliveIdle = Self(level: 6, name: 4)
  static let keepAliveInterval = Self(level: 6, name: 5)
  static let keepAliveCount = Self(level: 6, name: 6)
}

extension SimulatedNetwork {
  /// An option was set, or a socket with options has become a connection.
  mutating func beginKeepAlive(_ number: Int32) {
    guard let id = stream(of: number), socket(number)?.options[.keepAlive] == 1, !streams[id].isProbed
    else { return }
    streams[id].isProbed = true
    streams[id].lastHeard = now
    probeLater(id, number)
  }

  private mutating func probeLater(_ id: Int, _ number: Int32) {
    let (key, usual): (SimulatedSocket.OptionName, Int32) =
      streams[id].probes == 0 ? (.keepAliveIdle, 7200) : (.keepAliveInterval, 75)
    let seconds = socket(number)?.options[key] ?? usual
    let from = streams[id].probes == 0 ? streams[id].lastHeard : now
    events.insert(.probe(stream: id), due: from.advanced(by: .seconds(Int64(seconds))))
  }

  /// It is time to see whether the other side is still there.
  mutating func probe(_ id: Int) {
    guard phase(of: id) != .dead, let number = streams[id].descriptor, let peer = streams[id].peer,
      socket(number)?.options[.keepAlive] == 1
    else {
      streams[id].isProbed = false
      return
    }
    let idle = Duration.seconds(Int64(socket(number)?.options[.keepAliveIdle] ?? 7200))
    let hasWaited = streams[id].lastHeard.duration(to: now) >= idle
    let (there, back) = (
      Route(from: streams[id].host, to: streams[peer].host),
      Route(from: streams[peer].host, to: streams[id].host)
    )
    // What was sent and is not acknowledged is probe enough.
    let isSending = wires[there]?.held.contains { $0.from == id } ?? false
    if !hasWaited || isSending {
      streams[id].probes = 0
      if isSending { streams[id].lastHeard = now }
    } else if isBlocked(there) || isBlocked(back) {
      streams[id].probes += 1
      if streams[id].probes > socket(number)?.options[.keepAliveCount] ?? 9 { return die(id, .timedOut) }
    } else if phase(of: peer) == .dead {
      return die(id, .connectionReset)
    } else {
      streams[id].probes = 0
      streams[id].lastHeard = now
    }
    probeLater(id, number)
  }
}
