extension Connection {
  /// What the connection is doing right now.
  public var snapshot: Snapshot { core.snapshot() }

  /// A connection at one moment, for people: a log, a debugger, a page of diagnostics.
  public struct Snapshot: Hashable, Sendable {
    /// This end's address; `nil` for a transport that has none.
    public let localAddress: SocketAddress?
    /// The other end's address; `nil` when it is not known.
    public let peerAddress: SocketAddress?
    /// How long the connection has been open.
    public let age: Duration
    /// How long no byte has moved while somebody waited for the peer: what the idle limit counts. Printed as `-` while
    /// nobody waits.
    public let idle: Duration
    /// What tasks are suspended in, the reader first, then senders in the order in which they came; empty while all of
    /// them are busy with something else.
    public let waits: [Wait]
    /// How long the reader still waits at most; `nil` if there is none, or it has no deadline.
    public let timeLeft: Duration?
    /// What has been moved so far.
    public let counters: Counters
    /// Bytes that sends have handed over and the kernel has not taken.
    public let bytesQueued: UInt64
    /// Whether this side has begun to close it.
    public let isClosing: Bool
    /// Whether it has ended, whatever its handler still does.
    public let isClosed: Bool
    /// Whether the server drains it.
    public let isDraining: Bool
  }

  /// What a task may be suspended in.
  public enum Wait: String, Hashable, Sendable {
    /// For bytes.
    case read
    /// To be let in by a send: the output buffer stands at its high mark.
    case send
    /// For the output buffer to fall to its low mark, after a send.
    case drain
    /// For output to be with the kernel.
    case flush
    /// For the end of our stream to be with the kernel.
    case finish
    /// For the peer's end, while the connection closes.
    case close
  }
}

extension Connection.Wait {
  init?(_ goal: WriteWaiters.Goal) {
    switch goal {
    case .turn: self = .send
    case .lowMark: self = .drain
    case .written: self = .flush
    case .ended: self = .finish
    case .closed, .draining, .departure: return nil
    }
  }
}

extension Connection.Snapshot: CustomStringConvertible {
  /// One line.
  public var description: String {
    zip(Self.columns, cells).map { "\($0) \($1)" }.joined(separator: ", ")
  }

  package static let columns = ["local", "peer", "age", "idle", "state", "read", "accepted", "queued"]

  package var cells: [String] {
    [
      localAddress?.description ?? "-", peerAddress?.description ?? "-", age.briefly,
      waits.isEmpty ? "-" : idle.briefly, activity,
      "\(counters.bytesRead)", "\(counters.bytesAccepted)", "\(bytesQueued)",
    ]
  }

  private var activity: String {
    var words: [String] = []
    if isClosed {
      words.append("closed")
    } else if isClosing {
      words.append("closing")
    } else if isDraining {
      words.append("draining")
    }
    for (index, wait) in waits.enumerated() where !waits[..<index].contains(wait) {
      let count = waits.count { $0 == wait }
      words.append(count == 1 ? "in \(wait)" : "\(count) in \(wait)")
      if wait == .read, let timeLeft { words.append("for \(timeLeft.briefly) at most") }
    }
    return words.isEmpty ? "no wait" : words.joined(separator: " ")
  }
}

extension ConnectionCore {
  func snapshot() -> Connection.Snapshot {
    let now = core.now
    return state.withLock { state in
      let reader: [Connection.Wait] = state.reader == nil ? [] : [state.phase == .open ? .read : .close]
      let waits = reader + state.writers.goals.compactMap(Connection.Wait.init)
      let deadline = state.reader?.deadline ?? .never
      return Connection.Snapshot(
        localAddress: state.settings.localAddress, peerAddress: peerAddress,
        age: state.birth.duration(to: now),
        idle: state.idleness.time(now, isWaiting: !waits.isEmpty), waits: waits,
        timeLeft: deadline == .never ? nil : now.duration(to: deadline), counters: state.counters,
        bytesQueued: UInt64(state.output.count), isClosing: state.phase != .open,
        isClosed: state.phase == .closed, isDraining: state.isDraining)
    }
  }

  /// Whether bytes have moved in the loop's turn that began at this time.
  func hasMovedBytes(at turn: EventLoop.Instant) -> Bool {
    state.withLock { $0.idleness.since == turn }
  }
}
