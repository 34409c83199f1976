import AsyncSockets

// Where targets come from: sequences that are drawn from on the loop, and feeders, which are asked from elsewhere.

extension ClientCore {
  /// As many targets of feeders wait at most.
  private static var fodderLimit: Int { 16 }

  /// Draws targets from a sequence as they are needed, and ends after them.
  func run(_ source: TargetSource<Handler>, number run: Int) {
    begin(run)
    if !local.value.feedsAreOver { local.value.sources.append(source) }
  }

  /// Whatever was added before, and a run, have their end before them.
  ///
  /// The inbox was entered by whoever called, so that its reader sees no end before the beginning.
  func begin(_ run: Int) {
    if local.value.entries == 0 { local.value.feedsAreOver = false }
    local.value.entries += 1
    activate()
    local.value.runs.insert(run)
    local.value.endsWhenIdle = true
    pumpSoon()
  }

  /// Nobody can take the outcomes of a run any more.
  func drop(_ run: Int) {
    if local.value.runs.remove(run) != nil, local.value.runs.isEmpty { endAll(.cancel) }
  }

  // MARK: Feeders

  /// Somebody brings targets from now on, and the client does not end before them.
  ///
  /// - Parameters:
  ///   - number: of its run.
  ///   - cancel: tells that no more are wanted.
  func openFeeder(_ number: Int, _ cancel: @escaping @Sendable () -> Void) {
    if local.value.feedsAreOver { cancel() }
    local.value.feeders[number] = cancel
  }

  func closeFeeder(_ number: Int) {
    local.value.feeders[number] = nil
    pumpSoon()
  }

  /// Takes a target of a feeder.
  func take(_ target: Target, _ handler: (Target, ConnectionID) -> Handler) {
    // What comes late is none any more.
    if local.value.feedsAreOver { return }
    local.value.queue.append(add(target, handler))
    pumpSoon()
  }

  /// Calls back when there is room for another target.
  func whenHungry(_ goOn: @escaping @Sendable () -> Void) {
    if local.value.feedsAreOver || local.value.queue.count < Self.fodderLimit { return goOn() }
    local.value.hungryFeeders.append(goOn)
  }

  /// Calls back when there is a place for another target, and none that waits for it.
  func whenEmpty(_ goOn: @escaping @Sendable () -> Void) {
    if local.value.feedsAreOver { return goOn() }
    local.value.hungryFeeders.append(goOn)
    pumpSoon()
  }

  func wakeFeeders() {
    let feeders = local.value.hungryFeeders
    local.value.hungryFeeders = []
    for goOn in feeders { goOn() }
  }
}
