import AsyncSockets

/// What a client is doing, and has done since it was made.
public struct ClientStatistics: Hashable, Sendable {
  /// Targets that have been asked for and not begun.
  public internal(set) var waiting = 0
  /// Attempts that are under way, look-ups among them.
  public internal(set) var connecting = 0
  /// Connections that stand, those that are being closed among them.
  public internal(set) var open = 0

  /// Targets that have been begun: those that wait for their outcome and all that have one.
  public internal(set) var begun = 0
  /// Connections that stood, then or now.
  public internal(set) var connected = 0
  /// Outcomes `TargetResult.finished`.
  public internal(set) var finished = 0
  /// Outcomes `TargetResult.failed`.
  public internal(set) var failed = 0
  /// Outcomes `TargetResult.timedOut`.
  public internal(set) var timedOut = 0
  /// Outcomes `TargetResult.cancelled`.
  public internal(set) var cancelled = 0
  /// Ends that were no good ones, by a few words: `connect: ECONNREFUSED`, `reset`, `timed out: input`.
  public internal(set) var errors: [String: Int] = [:]

  /// Bytes taken from peers.
  public internal(set) var bytesRead: UInt64 = 0
  /// Bytes that the kernel has taken for peers.
  public internal(set) var bytesWritten: UInt64 = 0
  /// Frames that handlers were given.
  public internal(set) var framesReceived: UInt64 = 0

  /// From the beginning of an attempt, without the look-up of a name, to the connection.
  public internal(set) var connectLatency = LatencyHistogram()
  /// From a send to the next frame. With several requests under way, from the last of them.
  public internal(set) var replyLatency = LatencyHistogram()

  /// Nothing done.
  public init() {}

  /// All outcomes.
  public var ended: Int { finished + failed + timedOut + cancelled }

  /// Adds what another client does and has done.
  public mutating func merge(_ other: ClientStatistics) {
    waiting += other.waiting
    connecting += other.connecting
    open += other.open
    begun += other.begun
    connected += other.connected
    finished += other.finished
    failed += other.failed
    timedOut += other.timedOut
    cancelled += other.cancelled
    errors.merge(other.errors, uniquingKeysWith: +)
    bytesRead &+= other.bytesRead
    bytesWritten &+= other.bytesWritten
    framesReceived &+= other.framesReceived
    connectLatency.merge(other.connectLatency)
    replyLatency.merge(other.replyLatency)
  }

  mutating func count(_ counters: Connection.Counters) {
    bytesRead &+= counters.bytesRead
    bytesWritten &+= counters.bytesWritten
  }

  mutating func count(_ result: TargetResult) {
    switch result {
    case .finished: finished += 1
    case .failed: failed += 1
    case .timedOut: timedOut += 1
    case .cancelled: cancelled += 1
    }
    if let name = result.errorClass { errors[name, default: 0] += 1 }
  }
}

extension ClientStatistics: CustomStringConvertible {
  /// One line, errors by number: `3 waiting, 2 connecting, 100 open, 250 ended (8 connect: ECONNREFUSED), …`.
  public var description: String {
    let sorted = errors.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    let list = sorted.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    return "\(waiting) waiting, \(connecting) connecting, \(open) open, \(ended) ended"
      + (list.isEmpty ? "" : " (\(list))") + ", \(bytesRead) bytes in, \(bytesWritten) out, "
      + framesReceived.of("frame")
  }
}
