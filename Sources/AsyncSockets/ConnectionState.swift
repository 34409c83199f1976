/// The part of a connection that any thread may touch, behind its lock.
struct ConnectionState: ~Copyable {
  enum Phase {
    case open
    /// Sends and reads are refused; queued output still goes out.
    case closing
    case closed
  }

  /// Our stream.
  enum Outgoing {
    case open
    /// Nothing more is accepted; the end follows the queued output.
    case ending
    case ended
  }

  struct Reader {
    let id: UInt32
    /// Waits in the task whose cancellation the connection watches by itself.
    let isOwner: Bool
    let deadline: EventLoop.Instant
    let continuation: WakeContinuation
  }

  /// The connection's one deadline in the loop's heap.
  struct Timer {
    static let none = Timer(id: .none, due: .never)

    let id: DeadlineID
    /// `.never` when there is none: an optional of it would be larger.
    let due: EventLoop.Instant

    var isSet: Bool { due != .never }
  }

  // What every message touches comes first, and close together: with thousands of connections, cache lines are what
  // a message costs. Small ones fill the room that alignment leaves.
  var endpoint: Endpoint
  var readiness = Readiness()
  var phase = Phase.open
  var outgoing = Outgoing.open
  /// The peer's stream has been read to its end.
  var peerHasEnded = false
  /// A read has failed. Unlike after a failed write, there is nothing left to read.
  var readHasFailed = false
  /// In the loop's list of connections to flush.
  var isDirty = false
  /// The reader knows of the drain.
  var drainIsNoticed = false
  private var lastWriter: UInt32 = 0
  /// The first failure of the transport. The kernel tells of a reset once; this remembers it.
  var failure: SocketError?
  /// While the server drains: how much of what had arrived before is still to be read.
  var drainAllowance: Int?
  /// Whether the timer comes no later than the limits of waits. Nobody needs that while nobody waits for the peer.
  var waitIsWatched = false
  /// Whether the next bytes that are read are news to somebody.
  var awaitsInput = false
  /// What this turn has written past the queue; no more than the type holds.
  var directBytes: Int32 = 0
  var output = OutputQueue()
  var reader: Reader?
  var idleness: Idleness
  var lastWrite: EventLoop.Instant
  var timer = Timer.none
  var bytesRead: UInt64 = 0
  var writers = WriteWaiters()

  var settings: ConnectionSettings
  /// What the reader was in the middle of when it last had to wait, if a limit is on that counts for messages.
  var message: MessageWatch?
  var closeReason: CloseReason?
  let birth: EventLoop.Instant

  init(endpoint: consuming Endpoint, settings: ConnectionSettings, now: EventLoop.Instant) {
    self.endpoint = endpoint
    self.settings = settings
    birth = now
    idleness = Idleness(now: now)
    lastWrite = now
  }

  mutating func nextWriterID() -> UInt32 {
    lastWriter &+= 1
    return lastWriter
  }

  /// The failure that reads end with, too. A broken pipe says that the peer takes no more bytes, not that those which
  /// it sent are lost.
  var readFailure: SocketError? {
    if case .failed(.brokenPipe, _, _) = failure { nil } else { failure }
  }

  var isDraining: Bool { drainAllowance != nil }

  var counters: Connection.Counters {
    Connection.Counters(bytesRead: bytesRead, bytesAccepted: output.accepted, bytesWritten: output.written)
  }

  /// Whether the loop has something to write as soon as the transport takes it.
  var wantsToWrite: Bool { !output.isEmpty || outgoing == .ending }

  @inline(__always)
  func checkTakesOutput() throws(SocketError) {
    if let failure { throw failure }
    guard phase == .open else { throw .closed }
    guard outgoing == .open else { throw .finishedWriting }
  }

  /// How much more is accepted before the output reaches its high mark.
  var room: Int { max(0, settings.options.watermarks.high - output.count) }

  /// Whether the caller has to have the loop flush what is queued, since it can be and nobody else has.
  @inline(__always)
  mutating func claimsFlush() -> Bool {
    guard wantsToWrite, !isDirty, phase != .closed, readiness.canWrite else { return false }
    isDirty = true
    return true
  }

  /// Takes out everybody who waits for the connection to go on, so that they look again.
  mutating func takeWaiters() -> [WakeContinuation] {
    var waiters = writers.removeAll()
    if let reader = takeReader() { waiters.append(reader) }
    return waiters
  }

  mutating func takeReader() -> WakeContinuation? {
    defer { reader = nil }
    return reader?.continuation.taken
  }

  /// Those whose goal is reached by now.
  mutating func takeReadyWriters() -> [WakeContinuation] {
    writers.takeReady(
      count: output.count, written: output.written, hasEnded: outgoing == .ended,
      marks: settings.options.watermarks)
  }

  /// The first cause of the end wins.
  mutating func noteReason(_ reason: CloseReason) {
    if closeReason == nil { closeReason = reason }
  }

  /// Remembers a failed call and answers the error to throw from now on.
  mutating func fail(_ errno: Errno, call: String, peer: SocketAddress?) -> SocketError {
    fail(
      errno == .connectionReset
        ? .reset(errno, call: call, peer: peer) : .failed(errno, call: call, address: peer))
  }

  /// A transport has answered with a count that no call can come to.
  mutating func failImpossible(_ operation: String, _ count: Int, of size: Int) -> SocketError {
    let transport = endpoint.customTransport.map { ($0 as? UpgradedTransport)?.upper ?? $0 }
    let name = transport.map { "\(type(of: $0))" } ?? "socket"
    let call = "\(name).\(operation), which answered .bytes(\(count)) for \(size.of("byte"))"
    return fail(.failed(.protocolError, call: call, address: nil))
  }

  /// Remembers a failure and answers the error to throw from now on: the first one.
  mutating func fail(_ error: SocketError) -> SocketError {
    if let failure { return failure }
    failure = error
    noteReason(CloseReason(error))
    return error
  }
}
