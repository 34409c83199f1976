import AsyncSockets

// Connections that stand.

extension ClientCore {
  /// How drivers of this client call their handlers.
  func reactions() -> ConnectionDriver.Reactions {
    if let reactions = local.value.reactions { return reactions }
    let reactions = makeReactions(roster) { [self] driver in ended(driver) }
    local.value.reactions = reactions
    return reactions
  }

  private func ended(_ driver: ConnectionDriver) {
    guard let member = roster.local.value.members[driver.number], member.driver === driver else { return }
    end(own(member), member.verdict?.result ?? .finished(driver.connection.closeReason ?? .closed))
  }
}
