import Framing

/// The requests on one connection: the table behind its lock, and what fills it.
final class RequestExchange<F: Framing, ID: Hashable & Sendable>: LentRequests {
  typealias Table = RequestTable<F.Decoder.Frame, ID>

  /// How requests and replies are told apart. The functions that are returned run under the lock; what they are made
  /// of, a user's own code among it, does not.
  struct Rules: Sendable {
    typealias Begin = (inout Correlator<ID>) throws(CorrelatorError) -> Correlator<ID>.Token
    typealias Match = (inout Correlator<ID>) -> Correlator<ID>.Match

    let begin: @Sendable (F.Encoder.Frame) throws(CorrelatorError) -> Begin
    let match: @Sendable (F.Decoder.Frame) -> Match
  }

  private struct State {
    var table: Table
    var latches: [Table.Waiter: Latch] = [:]
    /// Told of each frame that answers no request and has no room; `nil` if such a frame is an error.
    var drop: (@Sendable () -> Void)?
  }

  private let rules: Rules
  private let state: Lock<State>
  /// Requests are made and sent in the same order.
  private let order = Lock(())
  private let loans: LoanRecord?

  init(
    _ rules: Rules, _ correlator: Correlator<ID>, keepingUnsolicited kept: Int = 0, for core: ConnectionCore
  ) {
    self.rules = rules
    state = Lock(State(table: Table(correlator, keepingUnsolicited: kept)))
    loans = core.loans
    loans?.add(self)
  }

  deinit {
    // A late reply would be taken for somebody else's.
    if state.withLock({ $0.table.awaitsReplies }) { loans?.spoil() }
  }

  var isAtRest: Bool { state.withLock { $0.table.isAtRest } }

  func request(
    _ frame: F.Encoder.Frame, on connection: FramedConnection<F>, deadline: Deadline
  ) async throws -> F.Decoder.Frame {
    var wasSent = false
    return try await request(frame, on: connection, deadline: deadline, wasSent: &wasSent)
  }

  func request(
    _ frame: F.Encoder.Frame, on connection: FramedConnection<F>, deadline: Deadline, wasSent: inout Bool
  ) async throws -> F.Decoder.Frame {
    let now = connection.core.core.now
    let due = deadline.instant(now: now)
    if let due, due <= now { throw SocketError.timedOut(operation: "request") }
    let begin = try rules.begin(frame)
    var token: Correlator<ID>.Token?
    try await connection.core.send(until: due, operation: "request") { holdsTurn in
      token = try send(frame, begin, on: connection, holdsTurn: holdsTurn)
      // Not to wait for the low mark: the peer may take no more until somebody reads its replies.
      return token == nil ? .mustWait : .accepted
    }
    guard let token else { throw SocketError.closed }
    wasSent = true
    return try await receive(.reply(to: token), on: connection, due: due, operation: "request")
  }

  func dropUnsolicited(_ notice: @escaping @Sendable () -> Void) { state.withLock { $0.drop = notice } }

  /// The next frame that answers no request; `nil` at the end of the stream.
  func next(on connection: FramedConnection<F>, deadline: Deadline) async throws -> F.Decoder.Frame? {
    let due = deadline.instant(now: connection.core.core.now)
    try update { table throws(SocketError) in try table.beginListening() }
    defer { update { $0.endListening() } }
    do {
      return try await receive(.unsolicited, on: connection, due: due, operation: "next")
    } catch CorrelatorError.ended {
      return nil
    }
  }

  /// - Returns: `nil` if the frame has to wait its turn; it counts as no request then.
  private func send(
    _ frame: F.Encoder.Frame, _ begin: Rules.Begin, on connection: FramedConnection<F>, holdsTurn: Bool
  ) throws -> Correlator<ID>.Token? {
    try order.withLock { _ in
      let token = try update { try $0.begin(begin) }
      var isSent = false
      defer { if !isSent { update { $0.withdraw(token) } } }
      if case .mustWait = try connection.offer(frame, holdsTurn: holdsTurn, mayBeNothing: false) {
        return nil
      }
      isSent = true
      return token
    }
  }

  private func receive(
    _ waiter: Table.Waiter, on connection: FramedConnection<F>, due: EventLoop.Instant?, operation: String
  ) async throws -> F.Decoder.Frame {
    while true {
      switch update({ $0.step(for: waiter) }) {
      case .take(let frame): return frame
      case .fail(let error): throw error
      case .read: try await readOne(for: waiter, on: connection, due: due)
      case .wait:
        guard let latch = latch(for: waiter) else { continue }
        let outcome = await latch.wait(until: due, on: connection.loop)
        if case .opened = outcome { continue }
        forgetLatch(of: waiter)
        if let frame = update({ $0.leave(waiter) }) { return frame }
        connection.core.noteUnsettled()
        if case .cancelled = outcome { throw CancellationError() }
        throw SocketError.timedOut(operation: operation)
      }
    }
  }

  /// Reads on behalf of all. What is wrong with this task alone ends its own wait, anything else everybody's.
  private func readOne(
    for waiter: Table.Waiter, on connection: FramedConnection<F>, due: EventLoop.Instant?
  ) async throws {
    do {
      guard let frame = try await connection.next(deadline: due.map { .at($0) } ?? .never) else {
        throw CorrelatorError.ended
      }
      let match = rules.match(frame)
      if update({ $0.deliver(frame, match) }) { return }
      guard let drop = state.withLock({ $0.drop }) else {
        throw CorrelatorError.unsolicited(Self.beginning(of: frame))
      }
      drop()
    } catch {
      guard Self.isReadersOwn(error) else {
        connection.core.noteUnsettled(failed: true)
        return update { $0.fail(error) }
      }
      _ = update { $0.leave(waiter) }
      throw error
    }
  }

  /// Not made under the lock, since a frame's description may be a user's own code.
  private static func beginning(of frame: F.Decoder.Frame) -> String {
    let most = 100
    if let bytes = frame as? [UInt8] { return "\(bytes.prefix(most))" }
    return String("\(frame)".prefix(most))
  }

  private static func isReadersOwn(_ error: any Error) -> Bool {
    if case SocketError.timedOut = error { return true }
    return error is CancellationError
  }

  /// Changes the table, and wakes whom that concerns.
  private func update<Result, Failure>(
    _ body: (inout Table) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var latches: [Latch] = []
    defer { for latch in latches { latch.open() } }
    return try state.withLock { state throws(Failure) in
      defer { latches = state.table.takeWoken().compactMap { state.latches.removeValue(forKey: $0) } }
      return try body(&state.table)
    }
  }

  private func forgetLatch(of waiter: Table.Waiter) {
    state.withLock { state in _ = state.latches.removeValue(forKey: waiter) }
  }

  /// Where to wait; `nil` if the waiter has been woken already.
  private func latch(for waiter: Table.Waiter) -> Latch? {
    state.withLock { state in
      guard state.table.isWaiting(waiter) else { return nil }
      let latch = Latch()
      state.latches[waiter] = latch
      return latch
    }
  }
}

extension RequestExchange.Rules where ID == Never {
  static var inOrder: Self {
    Self(
      begin: { _ in { correlator throws(CorrelatorError) in try correlator.request() } },
      match: { _ in { $0.reply() } })
  }
}
