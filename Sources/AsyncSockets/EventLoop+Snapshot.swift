import Synchronization

extension EventLoop {
  /// What the loop holds and what each part of it is doing.
  ///
  /// It is taken between two jobs of the loop, and so waits for the one that runs; `census` and `currentTurn` answer at
  /// once, also when the loop is stuck.
  ///
  /// ```swift
  /// for await _ in try ProcessSignals(.user1) { print(await loop.snapshot()) }
  /// ```
  ///
  /// - Parameter resettingLongestTurn: whether `longestTurn` begins anew from here.
  public func snapshot(resettingLongestTurn: Bool = false) -> Snapshot {
    core.takeSnapshot(resettingLongestTurn: resettingLongestTurn)
  }

  /// How long the turn under way has taken; `nil` while the loop sleeps. From anywhere, at any time: a watchdog's
  /// question.
  public nonisolated var currentTurn: Duration? {
    let began = core.turnBegan.load(ordering: .relaxed)
    return began == .max ? nil : Instant(nanoseconds: began).duration(to: core.clock.now)
  }

  /// A loop at one moment, for people: printed, it is a table.
  public struct Snapshot: Hashable, Sendable {
    /// The connections, in the order of their descriptors.
    public internal(set) var connections: [Connection.Snapshot] = []
    /// The addresses of listeners, and whether a task waits to accept.
    public internal(set) var listeners: [Listener] = []
    /// Addresses to which sockets are being connected.
    public internal(set) var connecting: [SocketAddress] = []
    /// Deadlines that have not come.
    public let deadlines: Int
    /// How long until the first of them; negative when it is due.
    public let nextDeadline: Duration?
    /// Jobs that wait for the loop: those enqueued since its turn began.
    public let jobs: Int
    /// Turns that the loop has made.
    public let turns: UInt64
    /// The longest of them: the time for which everybody on the loop had to wait.
    public let longestTurn: Duration

    /// A listening socket.
    public struct Listener: Hashable, Sendable {
      /// Where it listens.
      public let address: SocketAddress
      /// Whether a task waits to accept, or pauses because the system is short of something.
      public let isWaiting: Bool
    }
  }
}

extension EventLoop.Snapshot: CustomStringConvertible {
  /// A line on the loop, one for each listener and each socket that connects, and a table of the connections.
  public var description: String {
    let due = nextDeadline.map { " (next in \($0.briefly))" } ?? ""
    var lines = [
      "event loop: \(connections.count.of("connection")), \(deadlines.of("deadline"))\(due), \(jobs.of("job")), "
        + "\(turns.of("turn")), the longest \(longestTurn.briefly)"
    ]
    lines += listeners.map { "listens on \($0.address)\($0.isWaiting ? "" : ", nobody accepts")" }
    lines += connecting.map { "connects to \($0)" }
    if !connections.isEmpty {
      lines += textTable([Connection.Snapshot.columns] + connections.map(\.cells))
    }
    return lines.joined(separator: "\n")
  }
}

extension EventLoopGroup {
  /// The loops, as `EventLoop.snapshot` shows each.
  public func snapshot(resettingLongestTurn: Bool = false) async -> Snapshot {
    var snapshots: [EventLoop.Snapshot] = []
    for loop in loops { snapshots.append(await loop.snapshot(resettingLongestTurn: resettingLongestTurn)) }
    return Snapshot(loops: snapshots)
  }

  /// The loops of a group, each at one moment.
  public struct Snapshot: Hashable, Sendable, CustomStringConvertible {
    /// In the order of the group.
    public let loops: [EventLoop.Snapshot]

    /// The loops' tables, one after the other.
    public var description: String { loops.map(\.description).joined(separator: "\n") }
  }
}

extension EventLoopCore {
  func takeSnapshot(resettingLongestTurn: Bool) -> EventLoop.Snapshot {
    let (jobs, deadlines, next) = shared.withLock { shared in
      (shared.jobs.count, shared.deadlines.count, shared.deadlines.next)
    }
    var snapshot = EventLoop.Snapshot(
      deadlines: deadlines, nextDeadline: next.map { now.duration(to: $0) },
      jobs: jobs + local.value.jobs.count,
      turns: local.value.turns, longestTurn: .nanoseconds(local.value.longestTurn))
    for target in local.value.table.targets { target.describe(to: &snapshot) }
    for connection in local.value.others { connection.describe(to: &snapshot) }
    if resettingLongestTurn { local.value.longestTurn = 0 }
    return snapshot
  }
}
