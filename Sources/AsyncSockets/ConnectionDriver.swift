import Synchronization

/// What runs a connection without a task: the loop calls it whenever what it waits for has come.
///
/// It waits where a task would, with the same limits and the same accounts, and runs on the loop's thread alone. A
/// wake-up may be one too many, so whoever is woken looks whether it was meant.
@usableFromInline
package class ConnectionDriver: @unchecked Sendable {
  /// What the driver calls its user for.
  @usableFromInline
  enum Occasion { case started, input, room, deadline, over }

  /// What has to be compiled with the user's types known.
  ///
  /// A method of a generic class that is called by way of its superclass is compiled for all types at once, at several
  /// times the cost; a closure made where the types are known is not.
  @usableFromInline
  package final class Reactions: Sendable {
    let react: @Sendable (ConnectionDriver, Occasion) throws -> Void
    /// Called after the last callback.
    let ended: @Sendable (ConnectionDriver) -> Void
    /// Called around what references ask for, as `react` does it around callbacks.
    let before: (@Sendable (ConnectionDriver) -> Void)?
    let after: (@Sendable (ConnectionDriver) -> Void)?

    @usableFromInline
    init(
      react: @escaping @Sendable (ConnectionDriver, Occasion) throws -> Void,
      ended: @escaping @Sendable (ConnectionDriver) -> Void,
      before: (@Sendable (ConnectionDriver) -> Void)? = nil,
      after: (@Sendable (ConnectionDriver) -> Void)? = nil
    ) {
      self.react = react
      self.ended = ended
      self.before = before
      self.after = after
    }
  }

  /// What it waits for.
  enum Waiting {
    case start
    case input
    /// The next turn of the loop, and then input.
    case turn
    /// The low mark.
    case room(writer: UInt32)
    /// Nothing of the connection's but its end.
    case end
    case flush(writer: UInt32, until: EventLoop.Instant)
    case peersEnd(ConnectionCore.Lingering)
    case nothing
  }

  /// How the user wants it to end, once the callback has returned.
  enum Ending {
    case close(CloseReason?)
    case abort
  }

  @usableFromInline final let core: ConnectionCore
  /// What whoever started it knows it by.
  package final let number: Int
  /// What a callback threw, if one did.
  package final var error: (any Error)?
  final let reactions: Reactions
  @safe @exclusivity(unchecked) final var waiting = Waiting.start
  @safe @exclusivity(unchecked) final var ending: Ending?
  @safe @exclusivity(unchecked) @usableFromInline final var isPaused = false
  /// The output stands above its high mark.
  @safe @exclusivity(unchecked) @usableFromInline final var isThrottled = false
  /// The server drains, and a frame that had begun may still become whole.
  @safe @exclusivity(unchecked) @usableFromInline final var isFinishing = false
  @safe @exclusivity(unchecked) @usableFromInline final var inputHasEnded = false
  /// A callback has sent something, which is written once it has returned.
  @safe @exclusivity(unchecked) final var hasSent = false
  /// The handler has sent something since whoever asks has put it back.
  @safe @exclusivity(unchecked) final var hasAnswered = false
  /// How much may be sent before the output reaches its high mark, as far as is known; 0: to be asked.
  @safe @exclusivity(unchecked) final var room = 0
  /// The descriptor whose events come here; -1 for none.
  @safe @exclusivity(unchecked) final var watched: Int32 = -1
  /// The callback under way, or the last one, has exchanged the codec.
  @safe @exclusivity(unchecked) final var hasSwitched = false
  /// Where it has joined, and leaves when it closes.
  @safe @exclusivity(unchecked) final var memberships: [BroadcastSeat] = []
  /// The sign of the peer's departure that ends it though it does not read; `nil` for none.
  @safe @exclusivity(unchecked) package final var departure: PeerDeparture?
  /// Nobody waits for the peer any more.
  @safe @exclusivity(unchecked) final var isCancelled = false
  /// The user's deadline; `.never` for none.
  @safe @exclusivity(unchecked) final var due = EventLoop.Instant.never
  /// Output may go out for no longer than after an error.
  @safe @exclusivity(unchecked) final var isHurried = false
  @safe @exclusivity(unchecked) final var timer = ConnectionState.Timer.none

  @usableFromInline
  init(_ core: ConnectionCore, number: Int, _ reactions: Reactions) throws(SocketError) {
    try core.reading.claim(for: "handler")
    self.core = core
    self.number = number
    self.reactions = reactions
  }

  package final var connection: Connection.Handle { Connection.Handle(core: core) }

  /// Whether somebody has cancelled whatever the connection is served for.
  package final var wasCancelled: Bool { isCancelled }

  /// Has the loop begin, soon. From now on the driver keeps itself alive, to its end.
  package final func start() {
    _ = unsafe Unmanaged.passRetained(self)
    core.owner.store(ConnectionCore.DriverMark.running, ordering: .relaxed)
    core.core.performLater(.drive(self, .changed))
  }

  /// Called by whoever ends a wait, on any thread, with no lock held.
  final func wake(_ wake: Wake) {
    let loop = core.core
    if loop.isCurrent, loop.local.value.mayCallHandlers {
      drive(wake)
    } else {
      loop.performLater(.drive(self, wake))
    }
  }

  /// Whether its user may be given more.
  @usableFromInline package final var isReading: Bool {
    ending == nil && !isPaused && !isThrottled && !inputHasEnded
  }
}

// MARK: - On the loop

extension ConnectionDriver {
  /// The connection's events, instead of the connection: what it waits for is usually just that, and the read that
  /// follows enters them.
  func ready(_ events: Epoll.Events) {
    guard case .input = waiting, !events.contains(.urgent) else { return core.ready(events) }
    core.reading.contents.news = TransportReadiness(events)
    drive(.changed)
    core.noteNews()
  }

  /// Has the loop tell of the connection's events here, where it is a socket.
  private func watch() {
    let core = core
    guard let descriptor = core.state.withLock({ $0.endpoint.isSocket ? $0.endpoint.descriptorNumber : nil })
    else { return }
    core.core.setDriver(self, of: core, descriptor: descriptor)
    watched = descriptor
  }

  /// Looks whether what it waits for has come.
  func drive(_ wake: Wake) {
    let mayCall = core.core.allowHandlers(false)
    defer { core.core.allowHandlers(mayCall) }
    let wasCancelled = isCancelled
    if core.owner.load(ordering: .relaxed) == ConnectionCore.DriverMark.cancelled { isCancelled = true }
    switch waiting {
    case .start, .input, .turn, .room, .end:
      if isCancelled, !wasCancelled { return close(after: CancellationError()) }
      if core.isOver.load(ordering: .relaxed) { return close(after: nil) }
    case .flush, .peersEnd, .nothing: break
    }
    switch waiting {
    case .start:
      watch()
      `continue`(after: .started)
    case .input, .turn: `continue`(after: .input)
    case .room(let writer):
      guard hasRoom else { return waitForRoom(writer) }
      isThrottled = false
      for membership in memberships { membership.outputHasRoom() }
      if isThrottled { return waitForRoom(0) }
      `continue`(after: .room)
    case .end:
      if peerHasGone { return close(after: core.state.withLock { $0.failure } ?? CancellationError()) }
      settle()
    case .flush(let writer, let due): flush(writer, until: due)
    case .peersEnd(var lingering):
      guard case .changed = wake else { return finish(inGoodOrder: true) }
      linger(&lingering)
    case .nothing: break
    }
  }

  /// Runs what a handle to the handler asks for.
  func perform(_ body: () throws -> Void) {
    let loop = core.core
    let mayCall = loop.local.value.mayCallHandlers
    loop.local.value.mayCallHandlers = false
    defer { loop.local.value.mayCallHandlers = mayCall }
    guard isOpen else { return }
    do {
      reactions.before?(self)
      defer { reactions.after?(self) }
      try body()
    } catch {
      return fail(error)
    }
    if ending != nil { return settle() }
    switch waiting {
    case .end where isReading: `continue`(after: .input)
    // Whose output has filled up meanwhile is not to be woken by input alone, or by its end.
    case .end where isThrottled, .input where isThrottled || isPaused: settle()
    case .input where hasSwitched: `continue`(after: .input)
    default: _ = commit(thenWaiting: false)
    }
  }

  private var isOpen: Bool {
    switch waiting {
    case .start, .input, .turn, .room, .end: !core.isOver.load(ordering: .relaxed)
    case .flush, .peersEnd, .nothing: false
    }
  }

  private func `continue`(after occasion: Occasion) {
    hasSwitched = false
    do {
      try reactions.react(self, occasion)
      settle()
    } catch {
      fail(error)
    }
  }

  /// A callback has thrown: what it has sent before still goes out.
  private func fail(_ error: any Error) {
    self.error = error
    if commit(thenWaiting: false) { close(after: error) }
  }

  /// After the callbacks: ends the connection if they have asked for it; otherwise writes what they have sent, while the
  /// processor still has it at hand, and waits.
  private func settle() {
    switch ending {
    case .close(let reason):
      guard commit(thenWaiting: false) else { return }
      return close(after: nil, reason: reason)
    case .abort:
      forgetSent()
      core.abort()
      return finish()
    case nil: break
    }
    if isThrottled {
      guard commit(thenWaiting: false) else { return }
      waitForRoom(0)
    } else if isPaused || inputHasEnded {
      guard commit(thenWaiting: false) else { return }
      waitForEnd()
    } else if case .turn = waiting {
      _ = commit(thenWaiting: false)
    } else {
      waiting = .input
      core.settleForWait()
      _ = commit(thenWaiting: true)
    }
    // Whoever was cancelled inside a callback has been woken by nobody. The wait began behind the lock that the
    // cancellation takes, so one of the two sees the other.
    let mark = core.owner.load(ordering: .relaxed)
    if mark == ConnectionCore.DriverMark.cancelled, !isCancelled { wake(.changed) }
  }

  private var hasRoom: Bool {
    core.state.withLock { state in
      state.output.count <= state.settings.options.watermarks.low || state.failure != nil
        || state.phase != .open
    }
  }

  private func waitForRoom(_ writer: UInt32) {
    core.state.withLock { if $0.phase == .open { $0.reader = nil } }
    waiting = .room(writer: waitToWrite(.lowMark, instead: writer))
  }

  /// Waits as a writer does, unless it does so already.
  func waitToWrite(_ goal: WriteWaiters.Goal, instead writer: UInt32) -> UInt32 {
    let (isWaiting, id) = core.state.withLock { state in
      state.writers.contains(writer) ? (true, writer) : (false, state.nextWriterID())
    }
    if !isWaiting { core.addWriter(WakeContinuation(self), id, goal, nil, isOwner: true) }
    return id
  }

  /// For the next frame, once the callbacks are settled.
  @usableFromInline
  func waitForInput() { waiting = .input }

  /// Has had its share of the turn.
  @usableFromInline
  func waitForTurn() {
    waiting = .turn
    core.reading.contents.budget.refill()
    core.core.perform(.nextTurn(WakeContinuation(retaining: self)))
  }
}
