import AsyncSockets

// Where targets come from, and how runs of them begin and end.

extension ClientCore {
  /// As many targets of a feeder wait at most.
  private static var fodderLimit: Int { 16 }

  /// Whether nothing is left to do, and nothing more will be added.
  var isOver: Bool {
    let runs = local.value.runs
    // Nobody has to say that nothing will be added, who has never added anything.
    return runs.isEmpty || local.value.hasRun && runs.count == 1 && !added.local.value.isUsed
  }

  /// Takes targets as they are needed, and ends after them.
  func begin(_ run: Run<Handler>, _ supply: Run<Handler>.Supply) {
    fitOnce()
    local.value.hasRun = true
    local.value.runs.append(run)
    run.local.value.endsWhenIdle = true
    run.local.value.supply = supply
    pumpSoon()
  }

  /// Adds nothing more, and ends what is there.
  ///
  /// A task that is cancelled asks for it with each outcome: the second time costs nothing.
  func end(_ run: Run<Handler>, _ ending: Ending) {
    guard !run.local.value.isOver, run.local.value.ending != ending else { return }
    run.local.value.ending = ending
    run.local.value.isWaitingForRoom = false
    dropSupply(of: run)
    _ = run.local.value.queue.removeAll()
    for case let member? in roster.local.value.members {
      let member = own(member)
      guard member.run === run else { continue }
      guard let driver = member.driver else {
        end(member, .cancelled)
        continue
      }
      switch ending {
      case .close: driver.beginClosing()
      case .abort: driver.beginAborting()
      case .cancel:
        member.verdict = member.verdict ?? .cancelled
        driver.hurry()
        driver.connection.wakeOwner()
      }
    }
    pumpSoon()
  }

  /// What has not been drawn is no target any more.
  func dropSupply(of run: Run<Handler>) {
    run.local.value.endsWhenIdle = true
    let supply = run.local.value.supply
    run.local.value.supply = .none
    if case .feeder(let cancel) = supply { cancel() }
    run.wakeFeeder()
  }

  /// Ends the sequences of those who have nobody left.
  func finishIdle() {
    for run in local.value.runs where run.isDone {
      run.local.value.isOver = true
      _ = run.local.value.queue.removeAll()
      local.value.runs.removeAll { $0 === run }
      run.inbox.leave()
    }
    if isOver, roster.count == 0 { rest() }
  }

  // MARK: Feeders

  /// A feeder has no more.
  func closeFeeder(of run: Run<Handler>) {
    run.local.value.supply = .none
    pumpSoon()
  }

  /// Takes a target of a feeder. Whoever comes after the end of the run has an outcome all the same.
  func take(_ target: Target, for run: Run<Handler>, _ handler: (Target, ConnectionID) -> Handler) {
    let member = add(target, to: run, handler)
    if case .feeder = run.local.value.supply {
      run.local.value.queue.append(member)
    } else {
      end(member, .cancelled)
    }
    pumpSoon()
  }

  /// Calls back when there is room for another target.
  func whenHungry(_ run: Run<Handler>, _ goOn: @escaping @Sendable () -> Void) {
    guard case .feeder = run.local.value.supply, run.local.value.queue.count >= Self.fodderLimit else {
      return goOn()
    }
    run.local.value.hungryFeeder = goOn
  }

  /// Calls back when there is a place for another target, and none that waits for it.
  func whenEmpty(_ run: Run<Handler>, _ goOn: @escaping @Sendable () -> Void) {
    guard case .feeder = run.local.value.supply else { return goOn() }
    run.local.value.hungryFeeder = goOn
    pumpSoon()
  }
}
