import AsyncSockets

// What is noted of a connection while its handler is called.

extension ClientCore {
  /// How drivers of this client call their handlers.
  func reactions() -> ConnectionDriver.Reactions {
    if let reactions = local.value.reactions { return reactions }
    let reactions = Handler.reactions(
      before: { [self] driver in local.value.running = driver },
      after: { [self] driver in
        local.value.running = nil
        note(driver)
      },
      ended: { [self] driver in ended(driver) })
    local.value.reactions = reactions
    return reactions
  }

  private func member(of driver: ConnectionDriver) -> Member<Handler>? {
    guard let member = local.value.members[driver.number], member.driver === driver else { return nil }
    return member
  }

  /// Callbacks have been made: looks what has come and gone.
  private func note(_ driver: ConnectionDriver) {
    guard let member = member(of: driver) else { return }
    let counters = driver.connection.counters
    let now = loop.now
    if counters.bytesRead != member.bytesRead {
      member.bytesRead = counters.bytesRead
      member.marks.input = now
      member.marks.hasInput = true
    }
    let frames = driver.framesTaken &- UInt16(truncatingIfNeeded: member.frames)
    member.frames &+= UInt64(frames)
    guard configuration.measuresReplies else { return }
    if frames > 0, member.sent != .farFuture {
      local.value.statistics.replyLatency.record(member.sent.duration(to: now))
      member.sent = .farFuture
    }
    noteSent(member, counters, now)
  }

  /// Something may have been sent: from then on a reply is waited for.
  func noteSent(_ member: Member<Handler>, _ counters: Connection.Counters, _ now: EventLoop.Instant) {
    guard counters.bytesAccepted != member.bytesAccepted else { return }
    member.bytesAccepted = counters.bytesAccepted
    if configuration.measuresReplies { member.sent = now }
  }

  private func ended(_ driver: ConnectionDriver) {
    guard let member = member(of: driver) else { return }
    end(member, member.verdict?.result ?? .finished(driver.connection.closeReason ?? .closed))
  }
}
