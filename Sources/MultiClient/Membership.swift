import AsyncSockets

/// One target, from the moment it is asked for to its outcome, without its handler. Touched by the loop's thread alone.
class Membership {
  enum Phase {
    case waiting
    /// For the addresses of its host.
    case resolving
    case connecting(ConnectAttempt)
    /// For the accept queue of a Unix listener to have room.
    case crowded(ConnectAttempt)
    case open(ConnectionDriver)
    case over
  }

  enum Verdict {
    case timedOut(Timeouts.Kind)
    case cancelled

    var result: TargetResult {
      switch self {
      case .timedOut(let kind): .timedOut(kind)
      case .cancelled: .cancelled
      }
    }
  }

  final let id: ConnectionID
  final let target: Target
  /// Shared by all that have the same.
  final var timeouts: SharedTimeouts
  final var phase = Phase.waiting
  /// In nanoseconds; negative until it is connected.
  private final var latency: Int64 = -1
  @safe @exclusivity(unchecked) final var traffic = Traffic()
  /// The one deadline in the loop's heap, which is only ever moved forward.
  final var timer = DeadlineID.none
  /// The far future when there is none.
  final var timerDue = EventLoop.Instant.farFuture
  @safe @exclusivity(unchecked) final var marks: Timeouts.Marks
  /// What becomes of it, when that is decided before the connection has ended.
  final var verdict: Verdict?

  init(id: ConnectionID, target: Target, timeouts: SharedTimeouts, now: EventLoop.Instant) {
    self.id = id
    self.target = target
    self.timeouts = timeouts
    marks = Timeouts.Marks(began: now)
  }

  final var connectLatency: Duration? { latency < 0 ? nil : .nanoseconds(latency) }

  final func connected(after latency: Duration, _ now: EventLoop.Instant) {
    self.latency = EventLoop.Instant(nanoseconds: 0).advanced(by: latency).nanoseconds
    marks.connected = now
    marks.input = now
  }

  final var driver: ConnectionDriver? { if case .open(let driver) = phase { driver } else { nil } }

  final var isWaiting: Bool { if case .waiting = phase { true } else { false } }

  /// Whether it holds a place in the window, without a connection.
  final var isConnecting: Bool {
    switch phase {
    case .resolving, .connecting, .crowded: true
    case .waiting, .open, .over: false
    }
  }
}

/// Time-outs that many connections have, kept once.
final class SharedTimeouts: Sendable {
  let values: Timeouts

  init(_ values: Timeouts) { self.values = values }
}
