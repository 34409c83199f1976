import MultiClient
import Synchronization

/// What has happened so far, counted from all loops.
final class Tally: Sendable {
  struct Counts: Sendable {
    /// Connections.
    var begun = 0
    var opened = 0
    var closed = 0
    /// Those that are done, one way or the other.
    var settled = 0
    /// Those that never stood.
    var failed = 0
    /// Messages and replies.
    var sent: UInt64 = 0
    var right: UInt64 = 0
    var wrong: UInt64 = 0
    var latency = LatencyHistogram()
    var errors = ErrorTable()
    var lastOpened: EventLoop.Instant?
    var lastReply: EventLoop.Instant?
  }

  private let counts = Mutex(Counts())
  private let shortage = Atomic(false)
  private let signal = Atomic<Int32>(0)

  var now: Counts { counts.withLock { $0 } }

  /// Whether the system lets fewer connections be open at once than there are to be, so that some wait for others.
  var lacksPlaces: Bool {
    get { shortage.load(ordering: .relaxed) }
    set { shortage.store(newValue, ordering: .relaxed) }
  }

  /// The signal that ends the run before its time.
  var interruption: Int32? {
    let number = signal.load(ordering: .relaxed)
    return number == 0 ? nil : number
  }

  /// - Returns: whether it is the first one.
  func interrupt(by number: Int32) -> Bool {
    signal.compareExchange(expected: 0, desired: number, ordering: .relaxed).exchanged
  }

  func begun() { counts.withLock { $0.begun += 1 } }

  func opened(at now: EventLoop.Instant) {
    counts.withLock { counts in
      counts.opened += 1
      counts.lastOpened = max(counts.lastOpened ?? now, now)
    }
  }

  func closed() { counts.withLock { $0.closed += 1 } }

  func failed() { counts.withLock { $0.failed += 1 } }

  /// - Returns: how many have settled.
  func settled() -> Int {
    counts.withLock { counts in
      counts.settled += 1
      return counts.settled
    }
  }

  func sent() { counts.withLock { $0.sent += 1 } }

  func right(since begin: EventLoop.Instant, _ now: EventLoop.Instant) {
    counts.withLock { counts in
      counts.right += 1
      counts.note(begin, now)
    }
  }

  func wrong(since begin: EventLoop.Instant, _ now: EventLoop.Instant, example: () -> String) {
    counts.withLock { counts in
      counts.wrong += 1
      counts.note(begin, now)
      counts.errors.count(Flaw.Kind.wrongReply.rawValue, example: example)
    }
  }

  func count(_ flaw: Flaw) { counts.withLock { $0.errors.count(flaw.kind) { flaw.example } } }
}

extension Tally.Counts {
  /// A reply has come.
  fileprivate mutating func note(_ begin: EventLoop.Instant, _ now: EventLoop.Instant) {
    latency.record(begin.duration(to: now))
    lastReply = max(lastReply ?? now, now)
  }
}
