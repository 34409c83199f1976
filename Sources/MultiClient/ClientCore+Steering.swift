import AsyncSockets
import Framing

// What is asked of a client, or of one of its connections, from outside. Unknown names are answered, and harm nobody.

extension ClientCore {
  func connect(
    to target: Target, from localAddress: SocketAddress?, timeouts: Timeouts?,
    _ handler: (Target, ConnectionID) -> Handler
  ) throws(SocketError) -> ConnectionID {
    guard roster.count < ConnectionID.slotLimit else {
      throw .invalid("\(ConnectionID.slotLimit) targets are there already; add more as those end")
    }
    activate()
    let member = add(target, to: added, from: localAddress, timeouts: timeouts, handler)
    added.local.value.queue.append(member)
    pumpSoon()
    return member.id
  }

  /// Sends one frame; `false` when there is no such connection (any more, or yet).
  func send(_ frame: Handler.Codec.Encoder.Frame, to id: ConnectionID) throws -> Bool {
    guard let member = member(id), let driver = member.driver, !driver.isEnding else { return false }
    try Handler.send(frame, by: driver)
    // Else the next callback would note it again.
    _ = driver.takeHasAnswered()
    roster.noteSent(member)
    return true
  }

  /// Closes in good order one that is open; ends one that is not, as cancelled.
  func close(_ id: ConnectionID) -> Bool {
    guard let member = member(id) else { return false }
    close(member)
    return true
  }

  private func close(_ member: Member<Handler>) {
    if let driver = member.driver { driver.beginClosing() } else { end(member, .cancelled) }
  }

  func abort(_ id: ConnectionID) -> Bool {
    guard let member = member(id) else { return false }
    if let driver = member.driver { driver.beginAborting() } else { end(member, .cancelled) }
    return true
  }

  func set(_ timeouts: Timeouts, of id: ConnectionID) -> Bool {
    guard let member = member(id) else { return false }
    member.timeouts = SharedTimeouts(timeouts)
    if case .waiting = member.phase { return true }
    arm(member)
    return true
  }

  /// The handler as it is now; `nil` also while it is being called.
  func state(of id: ConnectionID) -> Handler? {
    guard let member = member(id) else { return nil }
    guard let driver = member.driver else { return member.beginning?.handler }
    return driver.number == roster.local.value.running ? nil : Handler.state(of: driver)
  }

  func switchCodec(to codec: Handler.Codec, of id: ConnectionID) -> Bool {
    guard let member = member(id) else { return false }
    guard let driver = member.driver else {
      member.beginning?.framing = codec
      return true
    }
    if driver.isEnding { return false }
    Handler.switchCodec(to: codec, of: driver)
    return true
  }

  func reference(to id: ConnectionID) -> HandlerReference<Handler>? {
    member(id)?.driver.map { Handler.reference(to: $0) }
  }

  // MARK: All of them

  /// Sends one frame to all that are open, encoded once.
  func broadcast(
    _ frame: Handler.Codec.Encoder.Frame, disconnectsSlow: Bool
  ) throws(FramingError) -> (sent: Int, slow: [ConnectionID]) {
    var encoder = framing.makeEncoder()
    var bytes: [UInt8] = []
    try encoder.encode(frame, into: &bytes)
    var sent = 0
    var slow: [ConnectionID] = []
    for case let member? in roster.local.value.members {
      guard let driver = member.driver, !driver.isEnding else { continue }
      // One whose connection has failed just now tells it by its outcome.
      guard let isAccepted = try? driver.offer(bytes) else { continue }
      if isAccepted {
        sent += 1
        roster.noteSent(member)
      } else {
        slow.append(member.id)
        if disconnectsSlow { driver.disconnectSlowConsumer() }
      }
    }
    return (sent, slow)
  }

  /// Begins nothing more, and ends what is there.
  func endAll(_ ending: Ending) { for run in local.value.runs { end(run, ending) } }

  /// Nobody will ask for more.
  func finish() {
    added.local.value.endsWhenIdle = true
    pumpSoon()
  }

  // MARK: Limits and numbers

  func limitsHaveChanged() {
    let limits = gate.applyLimits {
      roster.local.value.members.compactMap { member in
        guard let member, member.isConnecting || member.driver != nil else { return nil }
        return member.target.host
      }
    }
    if local.value.defaults.values != limits.timeouts {
      local.value.defaults = SharedTimeouts(limits.timeouts)
    }
    for run in local.value.runs { run.local.value.queue.releaseAll() }
    stopPumping()
    fitWindow()
    pumpSoon()
  }

  var statistics: ClientStatistics {
    var statistics = local.value.statistics
    statistics.replyLatency = roster.local.value.replyLatency
    statistics.waiting = roster.count - statistics.connecting - statistics.open
    for case let member? in roster.local.value.members {
      guard let driver = member.driver else { continue }
      statistics.count(driver.counters)
      statistics.framesReceived &+= member.traffic.frames
    }
    return statistics
  }
}
