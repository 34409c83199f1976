import AsyncSockets

/// One target, from the moment it is asked for to its outcome. Touched by the loop's thread alone.
final class Member<Handler: ConnectionHandler> {
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

  /// What is of no use any more once it is connected.
  final class Beginning {
    /// Until the connection has it.
    var handler: Handler
    let localAddress: SocketAddress?
    /// Its own, if it has one.
    var framing: Handler.Codec?
    /// Those that have not been tried.
    var addresses: [SocketAddress] = []
    var failures: [ConnectFailure] = []
    /// How many local addresses have had no port for the one that is being tried.
    var sourcesTried = 0
    /// When the attempt under way began.
    var attemptBegan: EventLoop.Instant
    /// When the system was first short of a port for it.
    var shortSince: EventLoop.Instant?
    /// When to go on to the next address, or to try a crowded one again.
    var nextStep: EventLoop.Instant?

    init(_ handler: Handler, from localAddress: SocketAddress?, now: EventLoop.Instant) {
      self.handler = handler
      self.localAddress = localAddress
      attemptBegan = now
    }
  }

  let id: ConnectionID
  let target: Target
  /// Shared by all that have the same.
  var timeouts: SharedTimeouts
  var phase = Phase.waiting
  var beginning: Beginning?
  /// When a frame was sent to which none has come yet; the far future also when that is not looked at.
  var sent = EventLoop.Instant.farFuture
  /// In nanoseconds; negative until it is connected.
  private var latency: Int64 = -1
  var bytesRead: UInt64 = 0
  var bytesAccepted: UInt64 = 0
  var frames: UInt64 = 0
  /// The one deadline in the loop's heap, which is only ever moved forward.
  var timer = DeadlineID.none
  /// The far future when there is none.
  var timerDue = EventLoop.Instant.farFuture
  var marks: Timeouts.Marks
  /// What becomes of it, when that is decided before the connection has ended.
  var verdict: Verdict?

  init(
    id: ConnectionID, target: Target, handler: Handler, from localAddress: SocketAddress?,
    timeouts: SharedTimeouts, now: EventLoop.Instant
  ) {
    self.id = id
    self.target = target
    self.timeouts = timeouts
    beginning = Beginning(handler, from: localAddress, now: now)
    marks = Timeouts.Marks(began: now)
  }

  var connectLatency: Duration? { latency < 0 ? nil : .nanoseconds(latency) }

  func connected(after latency: Duration, _ now: EventLoop.Instant) {
    self.latency = EventLoop.Instant(nanoseconds: 0).advanced(by: latency).nanoseconds
    marks.connected = now
    marks.input = now
  }

  var driver: ConnectionDriver? { if case .open(let driver) = phase { driver } else { nil } }

  /// Whether it holds a place in the window, without a connection.
  var isConnecting: Bool {
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
