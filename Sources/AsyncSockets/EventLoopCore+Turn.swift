import Glibc
import Synchronization

// The turn of an event loop: run the jobs that were there, fire what is due, flush what was written, ask the
// kernel. Jobs that a turn adds wait for the next one, so a task that requeues itself can't starve the sockets.

extension EventLoopCore {
  func run() {
    while true {
      runJobs()
      fireDeadlines()
      flushDirty()
      guard let sleep = prepareToSleep() else { break }
      // A turn without sleep ends where the next begins, which needs no look at the clock of its own.
      if sleep != 0 {
        endTurn(clock.now)
        turnBegan.store(.max, ordering: .relaxed)
      }
      local.value.mayCallHandlers = true
      poller.wait(nanoseconds: sleep) {
        let now = clock.now
        if sleep == 0 { endTurn(now) }
        local.value.now = now
        turnBegan.store(now.nanoseconds, ordering: .relaxed)
      } approaching: { key, proximity in
        local.value.table.prefetch(forKey: key, proximity)
      } ready: { key, events in
        if let driver = unsafe local.value.table.driver(forKey: key) {
          unsafe driver._withUnsafeGuaranteedRef { $0.ready(events) }
        } else {
          local.value.table.target(forKey: key)?.ready(events)
        }
      }
      takeRemoteWork()
      resumeYielded()
      local.value.mayCallHandlers = false
    }
    _ = thread.compareExchange(expected: pthread_self(), desired: 0, ordering: .relaxed)
    let waiters = shared.withLock { shared in
      defer { shared.stopWaiters = [] }
      return shared.stopWaiters
    }
    for waiter in waiters { waiter.resume() }
  }

  private func runJobs() {
    local.value.jobsOfTurn = local.value.jobs.count
    guard !local.value.jobs.isEmpty else { return }
    var batch = ContiguousArray<UnownedJob>()
    swap(&batch, &local.value.jobs)
    if let order {
      let count = order.arrange(&batch)
      local.value.jobs.append(contentsOf: batch[count...])
      batch.removeSubrange(count...)
    }
    let executor = unsafe asUnownedTaskExecutor()
    for job in batch { unsafe job.runSynchronously(on: executor) }
    if local.value.jobs.isEmpty {
      batch.removeAll(keepingCapacity: true)
      swap(&batch, &local.value.jobs)
    }
  }

  @inline(__always)
  private func endTurn(_ end: EventLoop.Instant) {
    local.value.turns &+= 1
    let length = end.nanoseconds &- local.value.now.nanoseconds
    if local.value.isNoteworthy(length) { noteLongTurn(length) }
  }

  private func fireDeadlines() {
    let now = local.value.now
    // Those that are set meanwhile, and are due already, come in the next turn.
    var count = shared.withLock { $0.deadlines.count }
    while count > 0, let due = shared.withLock({ $0.deadlines.popDue(now) }) {
      due.target.deadlineReached(due.token)
      count -= 1
    }
  }

  private func flushDirty() {
    guard !local.value.dirty.isEmpty else { return }
    var batch = ContiguousArray<ConnectionCore>()
    swap(&batch, &local.value.dirty)
    for connection in batch { connection.flushAtEndOfTurn() }
    if local.value.dirty.isEmpty {
      batch.removeAll(keepingCapacity: true)
      swap(&batch, &local.value.dirty)
    }
  }

  /// How long the loop may wait for events, in nanoseconds (-1: without end); `nil` when the loop is over.
  private func prepareToSleep() -> Int64? {
    let isBusy =
      !local.value.jobs.isEmpty || !local.value.nextTurn.isEmpty || !local.value.dirty.isEmpty
      || !local.value.operations.isEmpty
    var next: EventLoop.Instant?
    let (phase, mustPoll) = shared.withLock { shared -> (Phase, Bool) in
      let hasWork = isBusy || !shared.jobs.isEmpty || !shared.operations.isEmpty
      if shared.phase != .running {
        if !hasWork, local.value.hasStopped {
          shared.phase = .stopped
          return (.stopped, true)
        }
        return (shared.phase, true)
      }
      shared.isAsleep = !hasWork
      next = shared.deadlines.next
      return (.running, hasWork)
    }
    switch phase {
    case .stopped: return nil
    case .stopping where !local.value.hasStopped: endEverything()
    default: break
    }
    if mustPoll { return 0 }
    guard let next else { return -1 }
    return clock.nanoseconds(until: next) ?? -1
  }

  private func takeRemoteWork() {
    shared.withLock { shared in
      shared.isAsleep = false
      if !shared.jobs.isEmpty {
        local.value.jobs.append(contentsOf: shared.jobs)
        shared.jobs.removeAll(keepingCapacity: true)
      }
      if !shared.operations.isEmpty {
        local.value.operations.append(contentsOf: shared.operations)
        shared.operations.removeAll(keepingCapacity: true)
      }
    }
    guard !local.value.operations.isEmpty else { return }
    var batch = ContiguousArray<Operation>()
    swap(&batch, &local.value.operations)
    for operation in batch { execute(operation) }
    if local.value.operations.isEmpty {
      batch.removeAll(keepingCapacity: true)
      swap(&batch, &local.value.operations)
    }
  }

  private func resumeYielded() {
    guard !local.value.nextTurn.isEmpty else { return }
    var batch = ContiguousArray<WakeContinuation>()
    swap(&batch, &local.value.nextTurn)
    for continuation in batch { continuation.resume() }
  }

  func execute(_ operation: Operation) {
    switch operation {
    case .register(let target): register(target)
    case .deregister(let target, let descriptor):
      local.value.table.remove(target, descriptor: descriptor)
      countRegistrations()
    case .remember(let connection):
      guard !local.value.hasStopped else { return connection.loopStopped() }
      if !connection.isOver.load(ordering: .relaxed) { local.value.others.append(connection) }
      countRegistrations()
    case .forget(let connection):
      local.value.others.removeAll { $0 === connection }
      countRegistrations()
    case .ready(let connection, let readiness): connection.ready(readiness)
    case .flush(let connection): local.value.dirty.append(connection)
    case .drive(let driver, let wake): driver.drive(wake)
    case .call(let body): body()
    case .nextTurn(let continuation):
      if local.value.hasStopped {
        continuation.resume()
      } else {
        local.value.nextTurn.append(continuation)
      }
    }
  }

  private func register(_ target: any Pollable) {
    if local.value.hasStopped { return target.loopStopped() }
    let failure = target.withDescriptor { descriptor -> (Errno, Int32)? in
      let key = local.value.table.insert(target, descriptor: descriptor)
      return poller.add(descriptor, for: .everything, key: key).map { ($0, descriptor) }
    }
    if case (let errno, let descriptor)?? = failure {
      local.value.table.remove(target, descriptor: descriptor)
      target.registrationFailed(.failed(errno, call: "epoll_ctl", address: nil))
    }
    countRegistrations()
  }

  private func countRegistrations() {
    registrations.store(local.value.table.count + local.value.others.count, ordering: .relaxed)
  }

  /// The loop stops: whoever waits for a descriptor or a deadline hears of it once.
  private func endEverything() {
    local.value.hasStopped = true
    for target in local.value.table.removeAll() { target.loopStopped() }
    for connection in local.value.others { connection.loopStopped() }
    local.value.others = []
    registrations.store(0, ordering: .relaxed)
    let end = EventLoop.Instant(nanoseconds: .max)
    while let due = shared.withLock({ $0.deadlines.popDue(end) }) {
      due.target.deadlineReached(due.token)
    }
  }
}

extension Epoll.Events {
  static let everything: Epoll.Events = [.readable, .writable, .urgent, .peerEnded, .edgeTriggered]
}
