/// The part of a connection that any thread may touch, behind its lock.
struct ConnectionState: ~Copyable {
  enum Phase {
    case open
    /// Sends and reads are refused; queued output still goes out.
    case closing
    case closed
  }

  struct Reader {
    let id: UInt32
    let continuation: WakeContinuation
  }

  var endpoint: Endpoint
  var readiness = Readiness()
  var output = OutputQueue()
  var writers = WriteWaiters()
  var reader: Reader?
  /// Whoever waits for the end of `close()`.
  var closers: [WakeContinuation] = []
  var phase = Phase.open
  /// The peer's stream has been read to its end.
  var peerHasEnded = false
  /// Our stream has been ended, or is about to be once the output is out.
  var writeHasEnded = false
  /// In the loop's list of connections to flush.
  var isDirty = false
  var isDraining = false
  /// What may still be read while draining: what had arrived when the drain was noticed.
  var drainAllowance: Int?
  /// The first failure of the transport. The kernel tells of a reset once; this remembers it.
  var failure: SocketError?
  var closeReason: CloseReason?
  var bytesRead: UInt64 = 0
  var lastActivity: EventLoop.Instant
  var lastWrite: EventLoop.Instant
  var stallWatchIsArmed = false
  private var lastWaiter: UInt32 = 0

  init(endpoint: consuming Endpoint, now: EventLoop.Instant) {
    self.endpoint = endpoint
    lastActivity = now
    lastWrite = now
  }

  mutating func nextWaiterID() -> UInt32 {
    lastWaiter &+= 1
    return lastWaiter
  }

  /// Takes out everybody who waits, so that they look again.
  mutating func takeWaiters() -> [WakeContinuation] {
    var waiters = writers.removeAll()
    if let reader = reader { waiters.append(reader.continuation) }
    reader = nil
    return waiters
  }

  mutating func takeReader() -> WakeContinuation? {
    defer { reader = nil }
    return reader?.continuation
  }

  /// The first cause of the end wins.
  mutating func noteReason(_ reason: CloseReason) {
    if closeReason == nil { closeReason = reason }
  }

  /// Remembers a failed call and answers the error to throw from now on.
  mutating func fail(_ errno: Errno, call: String, peer: SocketAddress?) -> SocketError {
    if let failure { return failure }
    let error: SocketError =
      errno == .connectionReset
      ? .reset(errno, call: call, peer: peer) : .failed(errno, call: call, address: peer)
    failure = error
    noteReason(CloseReason(error))
    return error
  }
}
