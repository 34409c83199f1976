import Framing

/// Who waits for which frame on a connection that carries requests, and which of them reads for all. Pure.
///
/// Whoever reads hands each frame to the one that it is for, and passes the reading on once it has its own; so there
/// is a reader for as long as somebody waits, and no task but those who do.
struct RequestTable<Frame: Sendable, ID: Hashable & Sendable> {
  typealias Token = Correlator<ID>.Token

  enum Waiter: Hashable, Sendable {
    case reply(to: Token)
    /// For a frame that answers no request.
    case unsolicited

    var number: UInt64 {
      switch self {
      case .reply(let token): token.number
      case .unsolicited: .max
      }
    }
  }

  /// What a waiter is to do.
  enum Step {
    case take(Frame)
    /// Read a frame, deliver it, and ask again.
    case read
    /// Somebody else reads: wait to be woken, and ask again.
    case wait
    case fail(any Error)
  }

  private var correlator: Correlator<ID>
  private var replies: [Token: Frame] = [:]
  private var unsolicited: [Frame] = []
  /// Those before them, the newest first, so that taking one moves no others.
  private var olderUnsolicited: [Frame] = []
  private let kept: Int
  private var isListening = false
  private var reader: Waiter?
  private var waiting: Set<Waiter> = []
  private var woken: [Waiter] = []
  private var end: (any Error)?

  /// - Parameter kept: how many frames that answer no request may lie about until somebody asks for them.
  init(_ correlator: Correlator<ID>, keepingUnsolicited kept: Int) {
    self.correlator = correlator
    self.kept = kept
  }

  /// Whom to wake, after each change.
  mutating func takeWoken() -> [Waiter] {
    defer { woken = [] }
    return woken
  }

  /// Whether replies are to come, be it to requests that were given up.
  var awaitsReplies: Bool { correlator.outstanding > 0 }

  /// Whether no reply is to come, and no frame lies about that nobody has taken.
  var isAtRest: Bool {
    !awaitsReplies && replies.isEmpty && unsolicited.isEmpty && olderUnsolicited.isEmpty
  }

  // MARK: Requests

  mutating func begin(
    _ request: (inout Correlator<ID>) throws(CorrelatorError) -> Token
  ) throws -> Token {
    if let end { throw end }
    return try request(&correlator)
  }

  /// The request was not sent after all.
  mutating func withdraw(_ token: Token) {
    correlator.withdraw(token)
    passReadingOn()
  }

  /// One at a time waits for what answers no request.
  mutating func beginListening() throws(SocketError) {
    if isListening { throw .busy(operation: "next") }
    isListening = true
  }

  mutating func endListening() { isListening = false }

  // MARK: Waiting

  func isWaiting(_ waiter: Waiter) -> Bool { waiting.contains(waiter) }

  mutating func step(for waiter: Waiter) -> Step {
    waiting.remove(waiter)
    if let frame = take(for: waiter) {
      stopReading(waiter)
      return .take(frame)
    }
    if let end { return .fail(end) }
    if reader == nil { reader = waiter }
    if reader == waiter { return .read }
    waiting.insert(waiter)
    return .wait
  }

  /// The waiter is cancelled or too late.
  ///
  /// - Returns: its frame, should that have come in the meantime.
  mutating func leave(_ waiter: Waiter) -> Frame? {
    waiting.remove(waiter)
    let frame = take(for: waiter)
    if case .reply(let token) = waiter { correlator.cancel(token) }
    stopReading(waiter)
    return frame
  }

  private mutating func take(for waiter: Waiter) -> Frame? {
    switch waiter {
    case .reply(let token): replies.removeValue(forKey: token)
    case .unsolicited: takeUnsolicited()
    }
  }

  private mutating func takeUnsolicited() -> Frame? {
    if olderUnsolicited.isEmpty {
      olderUnsolicited = unsolicited.reversed()
      unsolicited = []
    }
    return olderUnsolicited.popLast()
  }

  private mutating func stopReading(_ waiter: Waiter) {
    if reader == waiter { reader = nil }
    passReadingOn()
  }

  /// The oldest request reads next. One that does not wait yet finds by itself that nobody reads.
  private mutating func passReadingOn() {
    guard reader == nil else { return }
    let next = correlator.oldestWaiting.map { Waiter.reply(to: $0) } ?? .unsolicited
    if wake(next) { reader = next }
  }

  // MARK: Reading

  /// - Returns: whether there was somebody to take the frame, or room for it.
  mutating func deliver(_ frame: Frame, _ match: (inout Correlator<ID>) -> Correlator<ID>.Match) -> Bool {
    switch match(&correlator) {
    case .reply(let token):
      replies[token] = frame
      wake(.reply(to: token))
    case .cancelled: break
    case .unsolicited:
      let count = unsolicited.count + olderUnsolicited.count
      guard count < kept || (isListening && count == 0) else { return false }
      unsolicited.append(frame)
      wake(.unsolicited)
    }
    return true
  }

  /// Nothing more will come. Frames that have come can still be taken.
  mutating func fail(_ error: any Error) {
    end = error
    _ = correlator.end()
    reader = nil
    // In their order: that of a set differs from run to run, and with it a simulation.
    woken += waiting.sorted { $0.number < $1.number }
    waiting = []
  }

  /// Whether the waiter was asleep.
  @discardableResult
  private mutating func wake(_ waiter: Waiter) -> Bool {
    guard waiting.remove(waiter) != nil else { return false }
    woken.append(waiter)
    return true
  }
}
