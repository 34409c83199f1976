import AsyncSockets

/// The loop on which something is verified, and its time.
struct VerifierTime: Sendable {
  let loop: EventLoop
  /// Of a loop of the verifier's own, where no time passes by itself, however busy the machine is.
  let clock: ManualClock?
  /// On which hangs are timed.
  let watch: EventLoop
  /// What a check that is cancelled has to end in.
  let grace: Grace

  /// - Parameter loop: The caller's; by default one is made, and `shutDown()` ends it.
  init(_ loop: EventLoop?) throws {
    grace = try Grace()
    if let loop {
      (self.loop, clock, watch) = (loop, nil, loop)
    } else {
      let clock = ManualClock()
      self.loop = try EventLoop(clock: clock)
      self.clock = clock
      watch = try EventLoopGroup.shared.loops[0]
    }
  }

  func shutDown() async {
    if clock != nil { await loop.shutdown() }
  }

  /// Lets time pass on the loop's clock.
  func pass(_ duration: Duration) async throws {
    if let clock { clock.advance(by: duration) } else { try await loop.sleep(for: duration) }
    for _ in 0..<2 { await loop.nextTurn() }
  }

  /// Waits until a condition holds.
  func until(_ isMet: @Sendable () -> Bool) async throws {
    if await loop.turn(20, until: isMet) { return }
    while !isMet() { try await watch.sleep(for: .milliseconds(1)) }
  }

  /// Lets everything happen that needs nothing but turns of the loop.
  func settle(unless isDone: @Sendable () -> Bool = { false }) async throws {
    if await loop.turn(24, until: isDone) { return }
    // Where bytes travel for a while.
    if clock == nil { try await loop.sleep(for: .milliseconds(50)) }
  }
}

extension EventLoop {
  /// Lets so many turns pass, from the loop's own thread, and fewer if a condition holds by then.
  fileprivate func turn(_ count: Int, until isMet: @Sendable () -> Bool) async -> Bool {
    for _ in 0..<count {
      if isMet() { return true }
      await nextTurn()
    }
    return isMet()
  }
}
