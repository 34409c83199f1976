/// Tells to which request a reply belongs, on a connection that carries several at once.
///
/// Replies come in the order of the requests (``Correlator/inOrder(atMost:)``: Redis, SMTP, HTTP/1), or carry the id of
/// their request (``Correlator/byID(atMost:)``: most RPC protocols). A correlator is a pure value: it knows nothing of
/// frames, and hands out a token for each request. Each token is settled exactly once: by ``Match/reply(to:)``, by
/// `true` of ``cancel(_:)`` or ``withdraw(_:)``, or by ``end()``.
///
/// ```swift
/// var correlator = Correlator.inOrder()
/// let first = try correlator.request()
/// let second = try correlator.request()
/// correlator.cancel(first)  // true: nobody waits for it any more
/// correlator.reply()        // .cancelled: the reply that comes first is still its
/// correlator.reply()        // .reply(to: second)
/// correlator.reply()        // .unsolicited
/// ```
///
/// Around it, behind one lock, a connection's `request` is a table of continuations:
///
/// ```swift
/// // The request: the token and the bytes in one critical section, so that both are in the same order.
/// let token = try correlator.request()
/// output.append(frame)          // if this fails: correlator.withdraw(token)
/// waiting[token] = continuation
///
/// // Its cancellation:
/// if correlator.cancel(token) { waiting.removeValue(forKey: token)?.resume(throwing: CancellationError()) }
///
/// // Whoever reads, for each frame; `oldestWaiting` is who should read on when the reader has its own reply:
/// switch correlator.reply() {
/// case .reply(let token): waiting.removeValue(forKey: token)?.resume(returning: frame)
/// case .cancelled: break
/// case .unsolicited: pushed(frame)
/// }
///
/// // The end of the connection:
/// for token in correlator.end() { waiting.removeValue(forKey: token)?.resume(throwing: reason) }
/// ```
public struct Correlator<ID: Hashable & Sendable>: Sendable {
  /// Stands for one request, and for no other of the same correlator.
  public struct Token: Hashable, Sendable {
    package let number: UInt64
  }

  /// Where a reply belongs.
  public enum Match: Hashable, Sendable {
    /// To this request.
    case reply(to: Token)
    /// To a request that was cancelled: nobody waits for it.
    case cancelled
    /// To no request; nothing has changed.
    case unsolicited
  }

  /// A request without a reply, linked to those made before and after it.
  private struct Entry {
    let id: ID?
    var isCancelled = false
    var previous: UInt64?
    var next: UInt64?
  }

  /// How many requests may be without a reply.
  public let limit: Int
  private var entries: [UInt64: Entry] = [:]
  private var numbers: [ID: UInt64] = [:]
  private var oldest: UInt64?
  private var newest: UInt64?
  /// The oldest that has not been cancelled. It only ever moves on to newer ones, so that finding it costs nothing.
  private var oldestUncancelled: UInt64?
  private var made: UInt64 = 0
  private var hasEnded = false

  private init(atMost limit: Int) throws(FramingError) {
    guard limit > 0 else {
      throw .invalidConfiguration("at most \(limit) requests may be without a reply; allow at least 1")
    }
    self.limit = limit
  }

  private init(known limit: Int) {
    self.limit = limit
  }

  /// How many requests have no reply yet, cancelled ones included.
  public var outstanding: Int { entries.count }

  /// The oldest request that somebody waits for; `nil` if there is none.
  public var oldestWaiting: Token? { oldestUncancelled.map { Token(number: $0) } }

  /// Nobody waits for the reply any more, which is still to come and counts as outstanding until then.
  ///
  /// - Returns: Whether somebody waited until now: `false` once the token is settled.
  @discardableResult
  public mutating func cancel(_ token: Token) -> Bool {
    guard let entry = entries[token.number], !entry.isCancelled else { return false }
    entries[token.number]?.isCancelled = true
    if oldestUncancelled == token.number { oldestUncancelled = firstUncancelled(from: entry.next) }
    return true
  }

  /// The request was not sent after all, or will get no reply: it is as if it had not been made.
  ///
  /// - Returns: Whether somebody waited until now: `false` once the token is settled.
  @discardableResult
  public mutating func withdraw(_ token: Token) -> Bool {
    guard let entry = remove(token.number) else { return false }
    return !entry.isCancelled
  }

  /// The connection has ended: no reply will come.
  ///
  /// - Returns: The requests that somebody waits for, in the order in which they were made; none the second time.
  public mutating func end() -> [Token] {
    hasEnded = true
    var waiting: [Token] = []
    while let number = oldest, let entry = remove(number) {
      if !entry.isCancelled { waiting.append(Token(number: number)) }
    }
    return waiting
  }

  // MARK: - The list of requests, by age

  private mutating func add(_ id: ID?) throws(CorrelatorError) -> Token {
    if hasEnded { throw .ended }
    guard entries.count < limit else { throw .tooManyRequests(limit: limit) }
    let number = made
    made += 1
    entries[number] = Entry(id: id, previous: newest)
    if let newest { entries[newest]?.next = number } else { oldest = number }
    newest = number
    if oldestUncancelled == nil { oldestUncancelled = number }
    return Token(number: number)
  }

  private mutating func remove(_ number: UInt64) -> Entry? {
    guard let entry = entries.removeValue(forKey: number) else { return nil }
    if let previous = entry.previous { entries[previous]?.next = entry.next } else { oldest = entry.next }
    if let next = entry.next { entries[next]?.previous = entry.previous } else { newest = entry.previous }
    if let id = entry.id { numbers[id] = nil }
    if oldestUncancelled == number { oldestUncancelled = firstUncancelled(from: entry.next) }
    return entry
  }

  private func firstUncancelled(from start: UInt64?) -> UInt64? {
    var number = start
    while let candidate = number, let entry = entries[candidate], entry.isCancelled { number = entry.next }
    return number
  }

  private mutating func settle(_ number: UInt64?) -> Match {
    guard let number, let entry = remove(number) else { return .unsolicited }
    return entry.isCancelled ? .cancelled : .reply(to: Token(number: number))
  }
}

// MARK: - In order

extension Correlator where ID == Never {
  /// Replies come in the order of the requests; at most 1,024 requests may be without one.
  public static func inOrder() -> Correlator<Never> {
    Correlator<Never>(known: 1_024)
  }

  /// Replies come in the order of the requests.
  ///
  /// - Parameter limit: How many requests may be without a reply; at least 1.
  /// - Throws: ``FramingError/invalidConfiguration(_:)``.
  public static func inOrder(atMost limit: Int) throws(FramingError) -> Correlator<Never> {
    try Correlator<Never>(atMost: limit)
  }

  /// A request, to be sent before the next one is made.
  ///
  /// - Throws: ``CorrelatorError``; nothing has changed then.
  public mutating func request() throws(CorrelatorError) -> Token {
    try add(nil)
  }

  /// A reply has come.
  public mutating func reply() -> Match {
    settle(oldest)
  }
}

// MARK: - By id

extension Correlator {
  /// Replies carry the id of their request; at most 1,024 requests may be without one.
  public static func byID() -> Correlator {
    Correlator(known: 1_024)
  }

  /// Replies carry the id of their request.
  ///
  /// - Parameter limit: How many requests may be without a reply; at least 1.
  /// - Throws: ``FramingError/invalidConfiguration(_:)``.
  public static func byID(atMost limit: Int) throws(FramingError) -> Correlator {
    try Correlator(atMost: limit)
  }

  /// A request with an id that no other without a reply has, be it cancelled: its late reply could not be told from
  /// this one's.
  ///
  /// - Throws: ``CorrelatorError``; nothing has changed then.
  public mutating func request(id: ID) throws(CorrelatorError) -> Token {
    guard numbers[id] == nil else { throw .idInUse("\(id)") }
    let token = try add(id)
    numbers[id] = token.number
    return token
  }

  /// A reply with this id has come.
  public mutating func reply(id: ID) -> Match {
    settle(numbers[id])
  }
}
