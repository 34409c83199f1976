import AsyncSockets

// Who begins, and when.

extension ClientCore {
  /// How many are begun before others on the loop have their turn.
  private static var batch: Int { 32 }

  /// Looks in a moment whether somebody may begin, or whether all is done.
  func pumpSoon() {
    guard !local.value.isPumpPending else { return }
    local.value.isPumpPending = true
    post { core in
      core.local.value.isPumpPending = false
      core.pump()
    }
  }

  private func pump() {
    guard !local.value.isPumping else { return }
    local.value.isPumping = true
    defer {
      askIdle()
      finishIdle()
      local.value.isPumping = false
    }
    if !loop.isRunning { for run in local.value.runs { dropSupply(of: run) } }
    releasePausedHosts()
    for _ in 0..<Self.batch {
      let now = loop.now
      guard gate.hasPlace(for: number) else { return }
      // Fetched also when it has to wait: when there is none, all may be done.
      guard let member = nextMember() else { return gate.passOn(number) }
      switch gate.begin(member.target.host, now, by: number) {
      case .now:
        begin(member, now)
        // Another client's end is one call, though there may be room for more than one: who comes next looks, or waits
        // for the next call.
        if gate.capsHosts { releaseHost(of: member) }
      // A client on another loop was quicker.
      case .hostIsFull: member.run.local.value.queue.park(member, member.target.host)
      case .full: return member.run.local.value.queue.putBack(member)
      case .at(let due):
        member.run.local.value.queue.putBack(member)
        return pump(at: due)
      }
    }
    pumpSoon()
  }

  /// Asks for one target of those who have none out, place or not: when there is no more, they are done.
  private func askIdle() {
    for run in local.value.runs where run.local.value.members == 0 && !run.local.value.isWaitingForRoom {
      switch run.local.value.supply {
      case .source(let source): draw(source, for: run)
      case .feeder: run.wakeFeeder()
      case .none: break
      }
    }
  }

  private func hasRoom(_ run: Run<Handler>) -> Bool {
    if run.local.value.isWaitingForRoom { return false }
    let hasRoom = run.inbox.hasRoom { [self] in
      post { core in
        run.local.value.isWaitingForRoom = false
        core.pumpSoon()
      }
    }
    run.local.value.isWaitingForRoom = !hasRoom
    return hasRoom
  }

  func pump(at due: EventLoop.Instant) {
    guard due < local.value.pumpDue else { return }
    if let timer = local.value.pumpTimer { loop.cancelDeadline(timer) }
    local.value.pumpTimer = loop.schedule(self, token: 0, due: due)
    local.value.pumpDue = due
  }

  /// The next that may begin, of all runs in turn.
  private func nextMember() -> Member<Handler>? {
    let runs = local.value.runs
    for offset in runs.indices {
      let place = (local.value.turn + offset) % runs.count
      guard let member = nextMember(of: runs[place]) else { continue }
      local.value.turn = place + 1
      return member
    }
    return nil
  }

  /// The next that may begin, out of those who wait or of the supply.
  private func nextMember(of run: Run<Handler>) -> Member<Handler>? {
    guard hasRoom(run) else { return nil }
    while true {
      let capsHosts = gate.capsHosts
      let next = run.local.value.queue.next { member in
        if case .over = member.phase { return nil }
        guard capsHosts || local.value.shortages.hasPaused else { return nil }
        let host = member.target.host
        return gate.hasRoom(for: host, number) && !local.value.shortages.isPaused(host) ? nil : host
      }
      if let next {
        if case .waiting = next.phase { return next }
        // It has ended, and must not use up its host's turn.
        run.local.value.queue.release(next.target.host)
        continue
      }
      guard run.local.value.queue.isHungry else { return nil }
      guard case .source(let source) = run.local.value.supply else {
        run.wakeFeeder()
        return nil
      }
      draw(source, for: run)
    }
  }

  private func draw(_ source: TargetSource<Handler>, for run: Run<Handler>) {
    let target = source.next()
    // The user's, who may have ended all this meanwhile.
    guard case .source = run.local.value.supply else { return }
    if let target {
      run.local.value.queue.append(add(target, to: run, source.handler))
    } else {
      run.local.value.supply = .none
    }
  }

  /// There is nothing to do.
  func rest() {
    local.value.reactions = nil
    local.value.shortages.forget()
    stopPumping()
    for errand in local.value.lookUps.values { errand.cancel() }
  }

  func stopPumping() {
    if let timer = local.value.pumpTimer { loop.cancelDeadline(timer) }
    local.value.pumpTimer = nil
    local.value.pumpDue = .farFuture
  }

  private func begin(_ member: Member<Handler>, _ now: EventLoop.Instant) {
    local.value.statistics.begun += 1
    local.value.statistics.connecting += 1
    member.marks.began = now
    member.phase = .resolving
    if let defect { return end(member, .failed(defect)) }
    guard loop.isRunning else { return end(member, .failed(.loopStopped)) }
    do throws(SocketError) {
      let address = try member.target.address()
      arm(member)
      if let address { connect(member, to: [address]) } else { lookUp(member) }
    } catch {
      end(member, .failed(error))
    }
  }
}

// MARK: - Deadlines

extension ClientCore: DeadlineTarget {
  /// The pump's, or with an id for its token that of a connection.
  func deadlineReached(_ token: UInt64) {
    if token == 0 {
      local.value.pumpTimer = nil
      local.value.pumpDue = .farFuture
      return pumpSoon()
    }
    if let member = member(ConnectionID(rawValue: token)) { lookAtDeadline(member) }
  }

  /// Has the loop look at a member no later than it has to.
  func arm(_ member: Member<Handler>) {
    let due = [
      nextTimeout(of: member)?.due, member.beginning?.nextStep,
    ].compactMap(\.self).min()
    guard let due, due < member.timerDue else { return }
    disarm(member)
    guard let timer = loop.schedule(self, token: member.id.rawValue, due: due) else { return }
    member.timer = timer
    member.timerDue = due
  }

  /// Has the loop look at a member no more.
  func disarm(_ member: Member<Handler>) {
    guard member.timerDue != .farFuture else { return }
    loop.cancelDeadline(member.timer)
    member.timerDue = .farFuture
  }

  private func lookAtDeadline(_ member: Member<Handler>) {
    member.timerDue = .farFuture
    let now = loop.now
    if let driver = member.driver {
      // Whoever is not read cannot be idle.
      if !driver.waitsForInput { member.marks.input = now }
    }
    if let next = nextTimeout(of: member), next.due <= now { return timeOut(member, next.kind) }
    if let step = member.beginning?.nextStep, step <= now {
      member.beginning?.nextStep = nil
      goOn(member)
    }
    switch member.phase {
    // It has ended, or has been postponed.
    case .over, .waiting: break
    case .resolving, .connecting, .crowded, .open: arm(member)
    }
  }

  private func timeOut(_ member: Member<Handler>, _ kind: Timeouts.Kind) {
    guard let driver = member.driver else { return end(member, .timedOut(kind)) }
    member.verdict = member.verdict ?? .timedOut(kind)
    let counters = driver.counters
    let isOwed = counters.bytesAccepted > counters.bytesWritten
    if driver.isEnding || kind == .total && isOwed { return driver.beginAborting(reason: .timedOut) }
    driver.hurry()
    driver.beginClosing(reason: .timedOut)
    if kind != .total { arm(member) }
  }

  /// Of one that is ending, that for everything alone counts.
  private func nextTimeout(of member: Member<Handler>) -> (due: EventLoop.Instant, kind: Timeouts.Kind)? {
    var timeouts = member.timeouts.values
    if member.driver?.isEnding == true { timeouts = Timeouts(connect: nil, total: timeouts.total) }
    return timeouts.next(after: member.marks)
  }
}
