extension ConnectionDriver: DeadlineTarget {
  /// Putting it off costs a comparison: a timer that comes too early is set again.
  @usableFromInline
  func setDeadline(_ deadline: Deadline) {
    due = deadline.instant(now: core.core.now) ?? .never
    arm()
  }

  func arm() {
    guard due < timer.due else { return }
    if timer.isSet { core.core.cancelDeadline(timer.id) }
    let id = core.core.schedule(self, token: 0, due: due)
    timer = id.map { ConnectionState.Timer(id: $0, due: due) } ?? .none
  }

  package func deadlineReached(_ token: UInt64) {
    timer = .none
    if due > core.core.now { return arm() }
    due = .never
    if case .flush = waiting { return drive(.timedOut) }
    perform { try reactions.react(self, .deadline) }
  }
}
