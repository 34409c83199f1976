import MultiClient

/// A run from its beginning to its summary.
struct LoadTest {
  private let options: Options
  private let target: Target
  private let group: MultiClientGroup<Talker>
  private let run: Run
  private let display: Display
  private let began: EventLoop.Instant

  private var tally: Tally { run.tally }
  private var loop: EventLoop { group.clients[0].loop }

  init(_ options: Options, on target: Target) throws(SocketError) {
    self.options = options
    self.target = target
    let tally = Tally()
    let display = Display(options, target)
    self.display = display
    let group = try MultiClientGroup<Talker>(
      framing: Exchange(script: options.script),
      configuration: MultiClientConfiguration(options) { notice in
        if notice.isShortage { tally.lacksPlaces = true }
        display.say("\(notice)")
      },
      environment: Environment(loops: try EventLoopGroup(count: options.loops)))
    self.group = group
    began = group.clients[0].loop.now
    run = Run(options, tally, began: began) { group.closeAll() }
  }

  func summary() async throws -> Summary {
    let signals = try ProcessSignals(.interrupt, .terminate)
    display.begin()
    let outcomes = outcomes
    await withDiscardingTaskGroup { tasks in
      tasks.addTask { await obey(signals) }
      tasks.addTask { await showProgress() }
      await withDiscardingTaskGroup { runs in
        for outcomes in outcomes {
          runs.addTask { for await outcome in outcomes { note(outcome) } }
        }
      }
      tasks.cancelAll()
    }
    display.end()
    return Summary(
      options, target, tally.now, await group.statistics, began: began, signal: tally.interruption)
  }

  /// Each loop has its share from the beginning: dealt out as they open, connections that stay open could fill one
  /// loop's part of the window and wait there, while another has room.
  private var outcomes: [MultiClient<Talker>.Outcomes] {
    let (share, rest) = options.connections.quotientAndRemainder(dividingBy: group.clients.count)
    return group.clients.enumerated().map { number, client in
      client.run(repeatElement(target, count: share + (number < rest ? 1 : 0))) { [run] _ in run.talker() }
    }
  }

  private func note(_ outcome: MultiClient<Talker>.Outcome) {
    let talker = outcome.handler
    guard talker.phase != .done, !talker.isBlamed, tally.interruption == nil else { return }
    if let flaw = Flaw(outcome.result, connection: talker.number, to: outcome.target) { tally.count(flaw) }
  }

  private func obey(_ signals: ProcessSignals) async {
    for await signal in signals {
      if tally.interrupt(by: signal.rawValue) {
        display.say("ending; once more to end at once")
        group.closeAll()
      } else {
        display.end()
        Terminal.exit(128 + signal.rawValue)
      }
    }
  }

  private func showProgress() async {
    var meter = RateMeter()
    var patience = Duration.seconds(1)
    while (try? await loop.clock.sleep(for: display.interval)) != nil {
      let counts = tally.now
      let elapsed = began.duration(to: loop.now)
      meter.note(counts.right + counts.wrong, at: elapsed)
      display.show(Progress(options, counts, elapsed: elapsed, rate: meter.perSecond))
      if tally.lacksPlaces { for client in group.clients { await client.closeDone() } }
      guard tally.interruption != nil else { continue }
      patience -= display.interval
      if patience <= .zero { group.abortAll() }
    }
  }
}

extension MultiClientConfiguration {
  fileprivate init(_ options: Options, onNotice: @escaping @Sendable (ClientNotice) -> Void) {
    self.init()
    limits.open = options.connections
    limits.timeouts.connect = options.timeout
    if let ramp = options.ramp { limits.rampUp = .constant(perSecond: ramp) }
    // The talkers do, who know when a message was due.
    measuresReplies = false
    outcomeBacklog = options.connections
    self.onNotice = onNotice
  }
}

extension ClientNotice {
  /// Whether some connections now have to wait for others to end.
  fileprivate var isShortage: Bool {
    switch self {
    case .windowReduced, .fewPorts, .paused: true
    case .resumed, .limitsRefused: false
    }
  }
}

extension MultiClient where Handler == Talker {
  /// Closes those that only stay open to be there, so that others can have their place.
  fileprivate func closeDone() {
    for id in connections where state(of: id)?.phase == .done { close(id) }
  }
}
