public import AsyncSockets

// Targets in, outcomes out.

extension MultiClient {
  /// Connects to each target, has a handler run the connection, and tells what became of it.
  ///
  /// Targets are drawn on the loop, as there is room for them, one of them ahead. More can be added meanwhile, by
  /// `connect`; the sequence ends when none is left.
  ///
  /// - Parameters:
  ///   - targets: where to connect to.
  ///   - handler: makes the handler of a target, before it is connected to: every callback sees it, `closed` also when
  ///     the attempt fails, and the outcome gives it back.
  /// - Returns: exactly one outcome for each target that was drawn, in the order in which they end. When it is left, by
  ///   `break` or an error, everything is cancelled; a task that is cancelled still gets the outcomes.
  public nonisolated func run(
    _ targets: some Sequence<Target> & Sendable, _ handler: @escaping @Sendable (Target) -> Handler
  ) -> Outcomes {
    run(nextRun()) { core, number in
      var iterator = targets.makeIterator()
      core.run(TargetSource(handler: { target, _ in handler(target) }) { iterator.next() }, number: number)
    }
  }

  /// The same for addresses.
  public nonisolated func run(
    _ addresses: some Sequence<SocketAddress> & Sendable, _ handler: @escaping @Sendable (Target) -> Handler
  ) -> Outcomes {
    run(nextRun()) { core, number in
      var iterator = addresses.makeIterator()
      core.run(
        TargetSource(handler: { target, _ in handler(target) }) { iterator.next().map { .address($0) } },
        number: number)
    }
  }

  /// The same for targets that come as time goes by; at most 16 are drawn ahead.
  public nonisolated func run<Targets: AsyncSequence & Sendable>(
    _ targets: Targets, _ handler: @escaping @Sendable (Target) -> Handler
  ) -> Outcomes where Targets.Element == Target, Targets.Failure == Never {
    let number = nextRun()
    // Made here, so that it inherits the values of the caller's task.
    let feeding = Feeding(on: loop, targets) { [core] target, goOn in
      core.post { core in
        core.take(target) { target, _ in handler(target) }
        core.whenHungry(goOn)
      }
    } whenOver: { [core] in
      core.post { $0.closeFeeder(number) }
    }
    return run(number) { core, number in
      core.begin(number)
      core.openFeeder(number) { feeding.cancel() }
      feeding.begin()
    }
  }

  private nonisolated func run(
    _ number: Int, _ begin: @escaping @Sendable (ClientCore<Handler>, _ number: Int) -> Void
  ) -> Outcomes {
    core.inbox.enter()
    core.post { begin($0, number) }
    return outcomes { core in core.drop(number) }
  }

  /// The outcomes of targets that are added by `connect`, without an end until `finish()`.
  public nonisolated var outcomes: Outcomes { outcomes { _ in } }
}
