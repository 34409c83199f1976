import AsyncSockets

// When the system is short of something: targets wait for it.

extension ClientCore {
  /// How long it is waited until somebody tries again, unless one of ours ends before.
  private static var pause: Duration { .milliseconds(100) }

  /// Puts a target back that could not be begun for want of descriptors or memory, of which others would have none either.
  func postpone(_ member: Member<Handler>, _ error: SocketError) {
    takeBack(member)
    member.run.local.value.queue.putBack(member)
    gate.pause(until: loop.now.advanced(by: Self.pause))
    tellPause(error)
    pumpSoon()
  }

  /// Puts a target back for whose host there is no port just now.
  func postponeForPort(_ member: Member<Handler>, _ error: SocketError) {
    let host = member.target.host
    local.value.shortages.pause(host, loop.now)
    takeBack(member)
    member.run.local.value.queue.park(member, host)
    tellPause(error)
    pumpSoon()
  }

  private func takeBack(_ member: Member<Handler>) {
    gate.end(member.target.host, wasConnecting: true, by: number)
    releaseHost(of: member)
    local.value.statistics.begun -= 1
    local.value.statistics.connecting -= 1
    member.phase = .waiting
    disarm(member)
  }

  private func tellPause(_ error: SocketError) {
    if local.value.isPaused { return }
    local.value.isPaused = true
    tell(.paused(error))
  }

  /// An attempt has got what it needed of the system.
  func noteSupply(_ member: Member<Handler>, _ address: SocketAddress) {
    if local.value.shortages.supply(address) {
      for run in local.value.runs { run.local.value.queue.releaseAll(member.target.host) }
      pumpSoon()
    }
    guard local.value.isPaused, !local.value.shortages.isShort else { return }
    local.value.isPaused = false
    tell(.resumed)
  }

  /// Lets one target of each host try whose pause is over.
  func releasePausedHosts() {
    while let host = local.value.shortages.popDue(loop.now) {
      for run in local.value.runs { run.local.value.queue.release(host) }
    }
    if let due = local.value.shortages.nextDue { pump(at: due) }
  }

  /// Looks whether the process may have as many descriptors as the window needs, and raises its limit if it can.
  func fitWindow() {
    let wanted = gate.limits.open
    if let limit = loop.kernel.descriptorLimit(wanted: wanted + Self.othersDescriptors) {
      let room = max(limit / 2, limit - Self.othersDescriptors)
      let ceiling = room < wanted ? room : nil
      if gate.setCeiling(ceiling), let ceiling {
        tell(.windowReduced(to: ceiling, descriptorLimit: limit))
      }
    }
    local.value.rotation.expect(gate.window)
  }

  /// What is left to the rest of the process.
  private static var othersDescriptors: Int { 128 }
}
