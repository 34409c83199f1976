import MultiClient

/// One connection of a run: sends a message, waits for the reply, and so on; then it stays open until all are done.
struct Talker: ConnectionHandler {
  enum Phase {
    /// Not connected yet.
    case new
    /// For the server to speak first.
    case greeting
    /// For a reply.
    case waiting
    /// Until the next message is due.
    case pausing
    /// All has been said and answered.
    case done
    /// It ended before that.
    case over
  }

  let run: Run
  let number: Int
  private(set) var phase = Phase.new
  /// Whether what was wrong with it has been counted.
  private(set) var isBlamed = false
  private var sent = 0
  /// How many bytes had come when the message under way was sent.
  private var readBefore: UInt64 = 0
  /// When the message under way, or the next, is due.
  private var due: EventLoop.Instant
  /// From when its latency counts.
  private var countsFrom: EventLoop.Instant

  init(_ run: Run, number: Int) {
    self.run = run
    self.number = number
    due = run.pace.began
    countsFrom = due
    run.tally.begun()
  }

  mutating func connected(_ context: borrowing HandlerContext<Exchange>) throws {
    let now = context.loop.now
    run.tally.opened(at: now)
    context.switchCodec(to: Exchange(script: run.script, connection: number))
    due = run.pace.first(number, now: now)
    guard run.script.isGreeted else { return try proceed(now, context) }
    phase = .greeting
    context.setDeadline(.after(run.timeout))
  }

  mutating func received(_ reply: Exchange.Reply, _ context: borrowing HandlerContext<Exchange>) throws {
    let now = context.loop.now
    switch phase {
    // What lay there already when the message was sent is no reply to it.
    case .waiting where context.counters.bytesRead > readBefore: note(reply, now)
    case .greeting: due = run.pace.first(number, now: now)
    case .waiting, .new, .pausing, .done, .over:
      blame(Flaw(.unasked, "connection \(number) was sent \(reply), for which it had not asked"))
      return context.abort()
    }
    try proceed(now, context)
  }

  private mutating func note(_ reply: Exchange.Reply, _ now: EventLoop.Instant) {
    switch reply {
    case .right: run.tally.right(since: countsFrom, now)
    case .wrong(let bytes):
      run.tally.wrong(since: countsFrom, now) {
        "connection \(number), message \(sent): expected \(run.script.expected(for: sent, of: number)), "
          + "got \(Escapes.quoted(bytes))"
      }
    }
    due = run.pace.next(after: due, now: now)
  }

  mutating func timedOut(_ context: borrowing HandlerContext<Exchange>) throws {
    guard phase == .waiting || phase == .greeting else { return try proceed(context.loop.now, context) }
    let what = phase == .greeting ? "no greeting" : "no reply to message \(sent)"
    blame(Flaw(.noReply, "connection \(number): \(what) within \(run.timeout.roundText)"))
    context.abort()
  }

  mutating func endOfInput(_ context: borrowing HandlerContext<Exchange>) { context.close() }

  mutating func closed(_ reason: CloseReason) {
    if phase == .new { run.tally.failed() } else { run.tally.closed() }
    guard phase != .done else { return }
    phase = .over
    run.settled()
  }

  /// Sends what is due, waits for it, or has done.
  private mutating func proceed(
    _ now: EventLoop.Instant, _ context: borrowing HandlerContext<Exchange>
  ) throws {
    if run.isLast(sent) || run.pace.isOver(at: now) { return finish(context) }
    guard due <= now else {
      phase = .pausing
      return context.setDeadline(.at(min(due, run.pace.end ?? due)))
    }
    // Who is late because the reply before took so long has waited since it was due (else a slow server would choose
    // when it is measured); who is late because a timer was, has not.
    countsFrom = phase == .waiting && run.hasRate ? due : now
    phase = .waiting
    sent += 1
    readBefore = context.counters.bytesRead
    try context.send(sent)
    run.tally.sent()
    context.setDeadline(.after(run.timeout))
  }

  private mutating func finish(_ context: borrowing HandlerContext<Exchange>) {
    phase = .done
    context.setDeadline(.never)
    if run.settled() { context.close() }
  }

  private mutating func blame(_ flaw: Flaw) {
    isBlamed = true
    run.tally.count(flaw)
  }
}
