public import AsyncSockets

// Targets in, outcomes out.

extension MultiClient {
  /// Connects to each target, has a handler run the connection, and tells what became of it.
  ///
  /// Targets are drawn on the loop, as there is room for them, one of them ahead. Several runs may be under way at once:
  /// each has the outcomes of its own targets, and they share the client's limits, one target of each in turn.
  ///
  /// A run lasts as long as somebody has its outcomes, or an iterator of them. When nobody has, as after a `break` out of
  /// `for await outcome in client.run(…)`, it begins nothing more, and its connections flush for at most a second and are
  /// reset; other runs, and what was added by `connect`, go on. A task that is cancelled ends its run in the same way, and
  /// still gets the outcomes of all that had been drawn.
  ///
  /// - Parameters:
  ///   - targets: where to connect to.
  ///   - handler: makes the handler of a target, before it is connected to: every callback sees it, `closed` also when
  ///     the attempt fails, and the outcome gives it back.
  /// - Returns: exactly one outcome for each target that was drawn, in the order in which they end.
  public nonisolated func run(
    _ targets: some Sequence<Target> & Sendable, _ handler: @escaping @Sendable (Target) -> Handler
  ) -> Outcomes {
    run(handler) {
      var iterator = targets.makeIterator()
      return { iterator.next() }
    }
  }

  /// The same for addresses.
  public nonisolated func run(
    _ addresses: some Sequence<SocketAddress> & Sendable, _ handler: @escaping @Sendable (Target) -> Handler
  ) -> Outcomes {
    run(handler) {
      var iterator = addresses.makeIterator()
      return { iterator.next().map { .address($0) } }
    }
  }

  private nonisolated func run(
    _ handler: @escaping @Sendable (Target) -> Handler, drawing begin: @escaping @Sendable () -> () -> Target?
  ) -> Outcomes {
    let mailbox = core.configuration.mailbox(of: Outcome.self)
    return outcomes(of: Run(into: mailbox), in: mailbox) {
      .source(TargetSource(handler: { target, _ in handler(target) }, begin()))
    }
  }

  /// The same for targets that come as time goes by; at most 16 are drawn ahead. A run that ends cancels the sequence, and
  /// its outcomes end when the sequence has.
  public nonisolated func run<Targets: AsyncSequence & Sendable>(
    _ targets: Targets, _ handler: @escaping @Sendable (Target) -> Handler
  ) -> Outcomes where Targets.Element == Target, Targets.Failure == Never {
    let mailbox = core.configuration.mailbox(of: Outcome.self)
    let run = Run(into: mailbox)
    // Made here, so that it inherits the values of the caller's task.
    let feeding = Feeding(on: loop, targets) { [core] target, goOn in
      core.post { core in
        core.take(target, for: run) { target, _ in handler(target) }
        core.whenHungry(run, goOn)
      }
    } whenOver: { [core] in
      core.post { core in
        run.local.value.isFed = false
        core.closeFeeder(of: run)
      }
    }
    return outcomes(of: run, in: mailbox) {
      run.local.value.isFed = true
      feeding.begin()
      return .feeder { feeding.cancel() }
    }
  }

  private nonisolated func outcomes(
    of run: Run<Handler>, in mailbox: Mailbox<Outcome>,
    from supply: @escaping @Sendable () -> Run<Handler>.Supply
  ) -> Outcomes {
    core.post { $0.begin(run, supply()) }
    return Outcomes(
      source: ElementSource(mailbox, keeping: lease) { [core] in
        core.post { $0.end(run, .cancel) }
      } drop: { [core] in
        mailbox.close()
        core.post { $0.end(run, .cancel) }
      })
  }

  /// The outcomes of targets that are added by `connect`, and of no others. It ends when `finish()`, `closeAll()` or
  /// `abortAll()` has been called and all that were added have ended; whoever takes an outcome may add more before asking
  /// for the next. A task that is cancelled ends all that were added, as it would a run.
  public nonisolated var outcomes: Outcomes {
    Outcomes(
      source: ElementSource(mailbox, keeping: lease) { [core] in
        core.post { $0.end($0.added, .cancel) }
      })
  }
}
