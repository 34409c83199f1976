import AsyncSockets

// The way of a packet: onto the wire, where it may be held back, and what it does at the other end.

extension SimulatedNetwork {
  /// Sends a packet from one end of a connection to the other.
  mutating func transmit(_ packet: SimulatedPacket, from id: Int) {
    let stream = streams[id]
    lastPacket += 1
    guard let to = stream.peer.map({ streams[$0].host }) ?? host(at: stream.remote, from: stream.host) else {
      // Nobody has the address, and nobody answers.
      if case .request = packet {
        disturb(
          "\(name(ofStream: id)) is not answered: no host of the simulation has this address, and servers outside "
            + "of it cannot be reached from inside")
      }
      return beginImpatience(packet, from: id)
    }
    let route = Route(from: stream.host, to: to)
    if isBlocked(route) { return hold(packet, from: id, on: route) }
    var wire = wire(route)
    // Nobody repeats a reset.
    if case .reset = packet, chance(wire.conditions.loss) { return }
    send(packet, from: id, after: lossDelay(wire.conditions, packet), on: &wire)
    wires[route] = wire
  }

  /// Whether nothing gets through now.
  func isBlocked(_ route: Route) -> Bool {
    !hosts[route.to].isUp || wires[route]?.isCut == true
  }

  /// As the present kernel of its host knows a connection.
  func phase(of id: Int) -> SimulatedStream.Phase {
    let stream = streams[id]
    return hosts[stream.host].crashes == stream.crashes ? stream.phase : .dead
  }

  func wire(_ route: Route) -> Wire {
    if let wire = wires[route] { return wire }
    return Wire(route.from == route.to ? .loopback : standardConditions)
  }

  /// How much later a packet arrives that is lost some times before it gets through.
  private mutating func lossDelay(_ conditions: LinkConditions, _ packet: SimulatedPacket) -> Int64 {
    var losses = 0
    while losses < 6, chance(conditions.loss) { losses += 1 }
    return Self.retransmission(of: packet).time(ofRepetition: losses)
  }

  private static func retransmission(of packet: SimulatedPacket) -> Retransmission {
    switch packet {
    case .request, .accepted, .refused: .connecting
    default: .data
    }
  }

  private mutating func send(
    _ packet: SimulatedPacket, from id: Int, after delay: Int64, on wire: inout Wire
  ) {
    var departure = now
    if let bandwidth = wire.conditions.bandwidth {
      let time = Duration.nanoseconds(Int64(packet.size) * 1_000_000_000 / Int64(bandwidth))
      departure = max(now, wire.freeAt).advanced(by: time)
      wire.freeAt = departure
    }
    let jitter = EventLoop.Instant(nanoseconds: 0).advanced(by: wire.conditions.jitter).nanoseconds
    let late = jitter > 0 ? Int64.random(in: 0...jitter, using: &random) : 0
    let arrival = departure.advanced(by: wire.conditions.latency + .nanoseconds(late + delay))
    // TCP keeps the order, whatever happens on the way.
    let due = max(arrival.nanoseconds, streams[id].lastArrival + 1)
    streams[id].lastArrival = due
    events.insert(.arrival(packet, from: id), due: EventLoop.Instant(nanoseconds: due))
  }

  private mutating func hold(_ packet: SimulatedPacket, from id: Int, on route: Route) {
    if case .reset = packet { return }
    lastPacket += 1
    var wire = wire(route)
    wire.held.append(Wire.Held(number: lastPacket, packet: packet, from: id, firstSent: now))
    wires[route] = wire
    beginImpatience(packet, from: id)
  }

  /// Who waits for an answer gives up when a packet is still on its way after all the repetitions.
  private mutating func beginImpatience(_ packet: SimulatedPacket, from id: Int) {
    var id = id
    switch packet {
    case .room, .reset: return
    case .request, .data, .end: break
    case .accepted, .refused, .acknowledgement:
      guard let peer = streams[id].peer else { return }
      id = peer
    }
    var patience = Self.retransmission(of: packet).patience
    if let number = streams[id].descriptor, let milliseconds = socket(number)?.options[.userTimeout],
      milliseconds > 0
    {
      patience = Int64(milliseconds) * 1_000_000
    }
    events.insert(
      .impatience(stream: id, packet: lastPacket), due: now.advanced(by: .nanoseconds(patience)))
  }

  // MARK: Cuts

  mutating func setConditions(_ conditions: LinkConditions, between a: Int, and b: Int) {
    for route in Route.bothWays(a, b) { change(route) { $0.usual = conditions } }
  }

  /// Those of a fault, or what they were without it.
  mutating func slow(_ conditions: LinkConditions?, between a: Int, and b: Int) {
    for route in Route.bothWays(a, b) { change(route) { $0.slowed = conditions } }
  }

  mutating func cut(_ route: Route, by cause: Wire.Cause) {
    change(route) { $0.cuts.insert(cause) }
  }

  private mutating func change(_ route: Route, _ change: (inout Wire) -> Void) {
    var wire = wire(route)
    change(&wire)
    wires[route] = wire
  }

  mutating func heal(_ route: Route, by cause: Wire.Cause) {
    if wires[route]?.cuts.remove(cause) != nil { release(route) }
  }

  /// What was held back goes out when TCP next repeats it.
  mutating func release(_ route: Route) {
    guard !isBlocked(route), var wire = wires[route] else { return }
    let held = wire.held
    wire.held = []
    for packet in held where isRepeated(packet) {
      let elapsed = now.nanoseconds - packet.firstSent.nanoseconds
      let wait = Self.retransmission(of: packet.packet).next(after: elapsed) - elapsed
      send(packet.packet, from: packet.from, after: wait, on: &wire)
    }
    wires[route] = wire
  }

  /// A refusal answers a request that is repeated.
  private func isRepeated(_ held: Wire.Held) -> Bool {
    switch held.packet {
    case .acknowledgement: false
    case .refused: true
    default: phase(of: held.from) != .dead
    }
  }

  /// Ends every connection between two hosts by a reset to either side, as a middlebox may.
  mutating func resetConnections(between a: Int, and b: Int) {
    let ids = streams.indices.filter { id in
      guard let peer = streams[id].peer else { return false }
      let (near, far) = (streams[id], streams[peer])
      return (phase(of: id) == .open || phase(of: peer) == .open)
        && [[a, b], [b, a]].contains([near.host, far.host])
    }
    let names = ids.filter { streams[$0].isInitiator }.map { name(ofStream: $0) }
    disturb(
      "connections between \(hosts[a].name) and \(hosts[b].name) are reset: "
        + (names.isEmpty ? "there are none" : names.joined(separator: ", ")))
    for id in ids { receiveReset(id) }
  }

  // MARK: Arrivals

  mutating func handle(_ event: NetworkEvent) {
    switch event {
    case .probe(let id): probe(id)
    case .impatience(let id, let packet):
      let isHeld = wires.values.contains { $0.held.contains { $0.number == packet } }
      if isHeld || streams[id].phase == .connecting { die(id, .timedOut) }
    case .arrival(let packet, let from):
      let sender = streams[from]
      if let to = sender.peer.map({ streams[$0].host }) ?? host(at: sender.remote, from: sender.host) {
        let route = Route(from: sender.host, to: to)
        if isBlocked(route) { return hold(packet, from: from, on: route) }
      }
      if case .request = packet {
        receiveRequest(from)
      } else if let peer = sender.peer {
        receive(packet, at: peer, from: from)
      }
    }
  }

  private mutating func receive(_ packet: SimulatedPacket, at id: Int, from sender: Int) {
    trace.add(
      .arrival(packet.name, bytes: packet.payload, host: streams[id].host, stream: id, first: packet.first),
      at: now)
    let isForgotten = hosts[streams[id].host].crashes != streams[id].crashes
    guard phase(of: id) != .dead else {
      switch packet {
      case .accepted, .data: transmit(.reset, from: id)
      // A kernel that has never heard of the connection answers anything but a reset.
      case .end where isForgotten: transmit(.reset, from: id)
      default: break
      }
      return
    }
    streams[id].lastHeard = now
    switch packet {
    case .data, .end: acknowledge(from: id, to: sender)
    default: break
    }
    switch packet {
    case .request, .acknowledgement: break
    case .accepted:
      streams[id].phase = .open
      offerIfLate(sender)
      if let number = streams[id].descriptor { beginKeepAlive(number) }
      tell(streams[id].descriptor)
    case .refused: die(id, .connectionRefused)
    case .data(let bytes):
      if streams[id].isClosed {
        // Nobody will ever read it.
        streams[id].phase = .dead
        return transmit(.reset, from: id)
      }
      streams[id].append(bytes)
      tell(streams[id].descriptor)
    case .end:
      streams[id].hasEnd = true
      tell(streams[id].descriptor)
    case .reset: receiveReset(id)
    case .room(let count):
      streams[id].outstanding -= count
      guard streams[id].awaitsRoom, streams[id].isWritable else { return }
      streams[id].awaitsRoom = false
      tell(streams[id].descriptor)
    }
  }

  /// Where the way back is cut, the sender never hears that its packet has come, and gives up after all its repetitions.
  private mutating func acknowledge(from id: Int, to sender: Int) {
    let route = Route(from: streams[id].host, to: streams[sender].host)
    if wires[route]?.isCut == true { hold(.acknowledgement, from: id, on: route) }
  }

  private mutating func receiveReset(_ id: Int) {
    guard phase(of: id) != .dead else { return }
    // Linux tells a side that has seen the end already that its pipe is broken.
    die(id, streams[id].hasEnd ? .brokenPipe : .connectionReset)
  }

  mutating func die(_ id: Int, _ errno: Errno) {
    guard phase(of: id) != .dead else { return }
    streams[id].phase = .dead
    streams[id].error = errno
    tell(streams[id].descriptor)
  }
}
