/// Connects to the first of several addresses that answers, and closes the others.
///
/// It runs in the task that wants the connection; the loop tells it which attempts are ready. When it ends, however it
/// does, every descriptor but the winner's is closed.
struct ConnectRace {
  /// No address could be connected to.
  struct Failure: Error {
    /// In the order in which the addresses were tried.
    let failures: [ConnectFailure]
  }

  /// A full accept queue is looked at again after this time: often enough to be quick, seldom enough to be cheap.
  private static let queueFullDelay = Duration.milliseconds(10)

  let addresses: [SocketAddress]
  let loop: EventLoop
  let deadline: EventLoop.Instant?
  let attemptDelay: Duration
  let localAddress: SocketAddress?
  let options: [SocketOption]

  private let news = News()
  private var schedule: HappyEyeballs
  private var attempts: [ConnectAttempt] = []
  private var errors: [SocketError?] = []
  /// Those that found a full queue, and when to try them again.
  private var crowded: [Int] = []
  private var retryTime: EventLoop.Instant?

  init(
    among addresses: [SocketAddress], on loop: EventLoop, deadline: EventLoop.Instant?,
    connector: Connector
  ) {
    self.addresses = addresses
    self.loop = loop
    self.deadline = deadline
    attemptDelay = connector.attemptDelay
    localAddress = connector.localAddress
    options = connector.options.socketOptions
    schedule = HappyEyeballs(count: addresses.count, attemptDelay: attemptDelay)
  }

  /// - Throws: `Failure`; `CancellationError`; `SocketError.loopStopped` when the loop stops.
  mutating func run() async throws -> ConnectAttempt {
    do {
      let winner = try await untilConnected()
      closeAll(except: winner)
      return attempts[winner]
    } catch {
      closeAll(except: nil)
      throw error
    }
  }

  private mutating func untilConnected() async throws -> Int {
    while true {
      try Task.checkCancellation()
      for index in news.takeReady() { note(attempts[index].result(), of: index) }
      // A task that is late to hear of its connection has it all the same.
      if let winner = schedule.winner { return winner }
      let now = loop.now
      if let deadline, deadline <= now { throw failure }
      retryCrowded(at: now)
      switch schedule.next(at: now) {
      case .attempt(let index): begin(index)
      case .connected(let index): return index
      case .exhausted: throw failure
      case .wait(let due):
        let until = [due, deadline, retryTime].compactMap(\.self).min()
        let outcome = await news.wait(until: until, on: loop)
        if outcome == .cancelled { throw CancellationError() }
        if outcome == .timedOut, let until, loop.core.clock.now < until { throw SocketError.loopStopped }
      }
    }
  }

  private mutating func begin(_ index: Int) {
    let attempt = ConnectAttempt(to: addresses[index], loop: loop.core) { [news] in news.add(index) }
    attempts.append(attempt)
    errors.append(nil)
    note(attempt.begin(boundTo: localAddress, options: options), of: index)
  }

  private mutating func note(_ outcome: ConnectAttempt.Outcome, of index: Int) {
    switch outcome {
    case .connected: schedule.attemptConnected(index)
    case .pending: break
    case .queueFull:
      crowded.append(index)
      retryTime = loop.now.advanced(by: Self.queueFullDelay)
    case .failed(let error):
      // The loop may have told of it more than once.
      if errors[index] == nil { errors[index] = error }
      schedule.attemptFailed(index)
    }
  }

  private mutating func retryCrowded(at now: EventLoop.Instant) {
    guard let time = retryTime, time <= now else { return }
    retryTime = nil
    let indices = crowded
    crowded = []
    for index in indices { note(attempts[index].connect(), of: index) }
  }

  private var failure: Failure {
    Failure(
      failures: attempts.indices.map { index in
        let address = addresses[index]
        let isCrowded = crowded.contains(index)
        let late = "connect \(address)" + (isCrowded ? ", whose accept queue is full" : "")
        return ConnectFailure(address: address, error: errors[index] ?? .timedOut(operation: late))
      })
  }

  private func closeAll(except winner: Int?) {
    for (index, attempt) in attempts.enumerated() where index != winner { attempt.close() }
  }
}

/// Which attempts have become ready, for the one task that waits for it.
private final class News: Sendable {
  private struct State {
    var ready: [Int] = []
    var latch = Latch()
  }

  private let state = Lock(State())

  func add(_ index: Int) {
    let latch = state.withLock { state in
      state.ready.append(index)
      return state.latch
    }
    latch.open()
  }

  func takeReady() -> [Int] {
    state.withLock { state in
      if state.ready.isEmpty { return [] }
      defer { state.ready = [] }
      state.latch = Latch()
      return state.ready
    }
  }

  func wait(until instant: EventLoop.Instant?, on loop: EventLoop) async -> Latch.Outcome {
    await state.withLock { $0.latch }.wait(until: instant, on: loop)
  }
}
