import AsyncSockets

// Where targets come from: sequences that are drawn from on the loop, and async ones that are drawn from by a task.

extension ClientCore {
  /// As many targets of async sequences wait at most.
  private static var foddersWaiting: Int { 64 }

  /// Draws targets from a sequence as they are needed, and ends after them.
  func run(_ source: TargetSource<Handler>, number run: Int) {
    local.value.sources.append(source)
    begin(run)
  }

  /// The same for an async sequence.
  func run<Targets: AsyncSequence & Sendable>(
    _ targets: Targets, number run: Int, _ handler: @escaping @Sendable (Target) -> Handler
  ) where Targets.Element == Target, Targets.Failure == Never {
    local.value.lastFeeder += 1
    let number = local.value.lastFeeder
    local.value.feeders[number] = Errand(on: loop) { [self] in
      for await target in targets {
        if Task.isCancelled { break }
        await withCheckedContinuation { continuation in
          post { $0.take(target, handler) { continuation.resume() } }
        }
      }
      post { core in
        core.local.value.feeders[number] = nil
        core.pumpSoon()
      }
    }
    begin(run)
  }

  /// - Parameter goOn: called when there is room for the next.
  private func take(
    _ target: Target, _ handler: (Target) -> Handler, _ goOn: @escaping @Sendable () -> Void
  ) {
    // Nothing is begun any more.
    if local.value.feedsAreOver { return goOn() }
    local.value.queue.append(add(target, handler(target)))
    pumpSoon()
    if local.value.queue.count < Self.foddersWaiting {
      goOn()
    } else {
      local.value.hungryFeeders.append(goOn)
    }
  }

  private func begin(_ run: Int) {
    // The inbox was entered by whoever called, so that its reader sees no end before the beginning.
    local.value.entries += 1
    activate()
    local.value.feedsAreOver = false
    local.value.runs.insert(run)
    local.value.endsWhenIdle = true
    pumpSoon()
  }

  /// Nobody can take the outcomes of a run any more.
  func drop(_ run: Int) {
    if local.value.runs.remove(run) != nil, local.value.runs.isEmpty { endAll(.cancel) }
  }
}
