import AsyncSockets

// How a host ends, and begins again.

extension SimulatedHost {
  /// Whether a process runs on it.
  public var isRunning: Bool { world.network.withLock { $0.hosts[number].isRunning } }

  /// The host is gone at once, as when its power fails. What it had open goes without a FIN or RST; packets to it are
  /// lost, and whoever sends them repeats them. Its tasks, what it has started and what `run`s on it, are cancelled; their
  /// system calls fail as on a machine without network and descriptors (`ENETDOWN`, `EBADF`). A task that somebody made
  /// with `Task { }` is not cancelled, since nobody has its handle, but its calls fail no less.
  ///
  /// Its peers notice nothing until they send. After ``restart()`` its new kernel answers what they send by a reset. The
  /// host `"localhost"`, on which the body of the simulation runs, cannot crash: that ends the simulation with
  /// `SimulationError.invalid`. A host that has crashed already stays as it is.
  public func crash() { end(for: .scenario) { $0.crash(number) } }

  /// The host's process is killed, as by SIGKILL, and the kernel lives on. It closes what the process had: connections
  /// end by a FIN, or by a reset where something was unread, and whoever connects is refused. The files of Unix sockets stay.
  /// The tasks of the host are cancelled as in a crash.
  public func kill() { end(for: .scenario) { $0.kill(number) } }

  /// A fault ends it, and boots it later, unless the scenario itself wants it down.
  func crashForFault() { end(for: .fault) { $0.crash(number) } }

  func killForFault() { end(for: .fault) { $0.kill(number) } }

  func restartAfterFault() {
    if world.network.withLock({ !$0.hosts[number].isRunning && !$0.hosts[number].staysDown }) { restart() }
  }

  /// Boots the host, which starts anew what was started on it (`start`); one that runs crashes first.
  public func restart() {
    crashIfItRuns()
    guard let process = world.network.withLock({ $0.boot(number) }) else { return }
    for service in work.services { start(service, in: process) }
  }

  /// Boots the host after so long, unless it runs by then; one that runs crashes now. Returns at once.
  public func restart(after time: Duration) {
    crashIfItRuns()
    world.services.add(
      .init(host: name) {
        try await world.sleep(for: time)
        if !isRunning { restart() }
      })
  }

  private func crashIfItRuns() {
    if isRunning { crash() }
  }

  private func end(for cause: Wire.Cause, _ how: (inout SimulatedNetwork) -> Bool) {
    guard number > 0 else {
      return world.services.fail(
        SimulationError.invalid(
          "\"\(name)\" cannot crash, since the body of the simulation runs on it: let what crashes run on a host of "
            + "its own, such as world.host(\"server\")"))
    }
    let hasRun = world.network.withLock { network in
      if cause == .scenario { network.hosts[number].staysDown = true }
      return how(&network)
    }
    if hasRun { work.cancelTasks() }
  }
}
