import AsyncSockets
import Framing

/// The machinery of one client: on one loop, by callbacks, with no task and no lock per connection.
///
/// Everything but `post` and the constants is for the loop's thread.
final class ClientCore<Handler: ConnectionHandler>: Sendable {
  typealias Outcome = MultiClient<Handler>.Outcome

  let loop: EventLoop
  let framing: Handler.Codec
  let configuration: MultiClientConfiguration
  /// Why it can't work; every target is told.
  let defect: SocketError?
  /// Those that are there.
  let roster: Roster
  let makeReactions: Roster.ReactionMaker
  /// What `connect` adds.
  let added: Run<Handler>
  let opener: @Sendable (Int32) -> Int
  let resolver: any Resolver
  let settings: ConnectionSettings
  let gate: SharedGate
  let local: LoopConfined<ClientState<Handler>>

  init(
    _ plan: ClientPlan, _ framing: Handler.Codec, into inbox: any Inbox<Outcome>, number: UInt8 = 0,
    gate: SharedGate? = nil, reactions: @escaping Roster.ReactionMaker
  ) {
    loop = plan.loop
    configuration = plan.configuration
    defect = plan.defect
    resolver = plan.resolver
    self.framing = framing
    roster = Roster(on: loop, number: number, measuresReplies: configuration.measuresReplies)
    makeReactions = reactions
    added = Run(into: inbox)
    opener = loop.kernel.opener()
    settings = ConnectionSettings(options: configuration.connection, localAddress: nil)
    let gate =
      gate ?? SharedGate(defect == nil ? configuration.limits : MultiClientLimits(), isShared: false)
    self.gate = gate
    local = LoopConfined(
      ClientState(
        runs: [added],
        names: NameTable(most: 8, capacity: 4096, lifetime: .seconds(60)),
        rotation: SourceRotation(
          configuration.sources, usesLoopback: configuration.rotatesLoopback,
          ports: loop.kernel.ephemeralPorts.map { Int($0.upperBound - $0.lowerBound) + 1 }),
        defaults: SharedTimeouts(configuration.limits.timeouts)))
    gate.add { [weak self] call in
      self?.post { core in
        switch call {
        case .place: core.pumpSoon()
        case .host(let host):
          for run in core.local.value.runs { run.local.value.queue.release(host) }
          core.pumpSoon()
        case .limits: core.limitsHaveChanged()
        }
      }
    }
  }

  /// Which client of a group.
  var number: Int { Int(roster.number) }

  /// Does something on the loop, later.
  func post(_ body: @escaping @Sendable (ClientCore) -> Void) { loop.call { [self] in body(self) } }

  /// Later, so that whoever is told may do as he likes with the client.
  func tell(_ notice: ClientNotice) {
    if let onNotice = configuration.onNotice { loop.call { onNotice(notice) } }
  }

  /// The connection of that name, if there is one.
  func member(_ id: ConnectionID) -> Member<Handler>? {
    roster[id].map(own)
  }

  /// One of the roster, whose members are all made by `add`.
  func own(_ member: Membership) -> Member<Handler> {
    unsafe unsafeDowncast(member, to: Member<Handler>.self)
  }
}

// MARK: - Members come and go

extension ClientCore {
  /// Takes a target on, which begins when it may.
  func add(
    _ target: Target, to run: Run<Handler>, from localAddress: SocketAddress? = nil,
    timeouts: Timeouts? = nil,
    _ handler: (Target, ConnectionID) -> Handler
  ) -> Member<Handler> {
    run.local.value.members += 1
    run.local.value.ending = nil
    let id = roster.reserve()
    // The user's, who may add others meanwhile.
    let handler = handler(target, id)
    let member = Member(
      id: id, target: target, in: run, handler: handler, from: localAddress,
      timeouts: timeouts.map(SharedTimeouts.init) ?? local.value.defaults, now: loop.now)
    roster.enter(member)
    return member
  }

  /// There is something to do for what is added, after its end too.
  func activate() {
    fitOnce()
    added.local.value.isUsed = true
    guard added.local.value.isOver else { return }
    added.local.value.isOver = false
    added.inbox.enter()
    local.value.runs.append(added)
  }

  func fitOnce() {
    if local.value.hasFitted { return }
    local.value.hasFitted = true
    fitWindow()
  }

  /// One that went there holds no place any more, which is the turn of another.
  func releaseHost(of member: Member<Handler>) {
    for run in local.value.runs { run.local.value.queue.release(member.target.host) }
  }

  /// The one end of every target.
  func end(_ member: Member<Handler>, _ result: TargetResult) {
    // A handler that was told of another's end may have ended this one meanwhile.
    if case .over = member.phase { return }
    let wasConnecting = member.isConnecting
    let driver = member.driver
    let wasWaiting = member.isWaiting
    release(member)
    if wasWaiting {
      member.run.local.value.queue.noteEnd { if case .over = $0.phase { $0.target.host } else { nil } }
    }
    if wasConnecting || driver != nil {
      gate.end(member.target.host, wasConnecting: wasConnecting, by: number)
      if wasConnecting { local.value.statistics.connecting -= 1 } else { local.value.statistics.open -= 1 }
      local.value.shortages.resume(member.target.host)
      releaseHost(of: member)
    }
    let counters = driver?.counters
    if let counters { local.value.statistics.count(counters) }
    local.value.statistics.framesReceived &+= member.traffic.frames
    local.value.statistics.count(result)

    var handler = member.beginning?.handler
    member.beginning = nil
    if let driver {
      handler = Handler.state(of: driver)
    } else {
      handler?.closed(result.closeReason)
    }
    if let handler {
      let outcome = Outcome(
        id: member.id, target: member.target, result: result, handler: handler,
        peerAddress: driver?.connection.peerAddress,
        counters: counters ?? .none, framesReceived: member.traffic.frames,
        connectLatency: member.connectLatency,
        duration: wasConnecting || driver != nil ? member.marks.began.duration(to: loop.now) : .zero)
      member.run.inbox.post(outcome)
    }
    member.run.local.value.members -= 1
    pumpSoon()
  }

  /// Gives back what it holds, but for the place in the window.
  private func release(_ member: Member<Handler>) {
    switch member.phase {
    case .connecting(let attempt), .crowded(let attempt): attempt.close()
    case .resolving: leaveLookUp(member)
    case .waiting, .open, .over: break
    }
    member.phase = .over
    disarm(member)
    roster.leave(member)
  }
}
