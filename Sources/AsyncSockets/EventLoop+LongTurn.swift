extension EventLoop {
  /// A turn so long that everybody else on the loop noticed: more than 100 ms.
  ///
  /// The loop looks at the clock once a turn and never between two jobs. So it knows how long the turn took and whom it
  /// served, but not which of them took the time: the one to blame is among the connections named here if it moved
  /// bytes in that turn, on the loop, and is still open. A task that has nothing to do with a connection is not named;
  /// nor can the loop tell a handler that computes or blocks from a machine that was stopped or busy elsewhere, or from
  /// a clock that a test moved meanwhile.
  public struct LongTurn: Hashable, Sendable {
    /// From the moment at which the kernel answered to the one at which it was to be asked again.
    public let duration: Duration
    /// How many jobs (pieces of tasks between two suspensions) it ran.
    public let jobs: Int
    /// Connections that moved bytes in it, the first 16 in the order of their descriptors.
    public let connections: [Connection.Snapshot]
    /// How many there were.
    public let connectionCount: Int

    static let limit: Int64 = 100_000_000
    static let named = 16
  }

  /// Names a handler of long turns.
  public struct LongTurnHandler: Hashable, Sendable {
    fileprivate let id: UInt64
  }

  /// Has a handler told of each turn that takes longer than 100 ms.
  ///
  /// - Parameter handler: called on the loop right after the turn, before anything else; it must return quickly.
  /// - Returns: what `removeLongTurnHandler` takes; to be ignored if the handler shall live as long as the loop.
  @discardableResult
  public nonisolated func onLongTurn(_ handler: @escaping @Sendable (LongTurn) -> Void) -> LongTurnHandler {
    core.shared.withLock { shared in
      shared.lastLongTurnHandler += 1
      shared.longTurnHandlers.append((shared.lastLongTurnHandler, handler))
      return LongTurnHandler(id: shared.lastLongTurnHandler)
    }
  }

  /// Tells a handler of nothing more; one that is being called meanwhile ends first or not.
  public nonisolated func removeLongTurnHandler(_ handler: LongTurnHandler) {
    core.shared.withLock { shared in shared.longTurnHandlers.removeAll { $0.id == handler.id } }
  }
}

extension EventLoop.LongTurn: CustomStringConvertible {
  /// One line for a log.
  public var description: String {
    let names = connections.map { $0.peerAddress?.description ?? "unknown peer" }.joined(separator: ", ")
    let more = connectionCount > connections.count ? " and \(connectionCount - connections.count) more" : ""
    let served = connectionCount == 0 ? "no connection moved bytes" : "served \(names)\(more)"
    return "a turn of \(jobs.of("job")) took \(duration.briefly); \(served)"
  }
}

extension EventLoopCore {
  /// Called at the end of a turn that was longer than those before, or than the limit.
  @inline(never)
  func noteLongTurn(_ length: Int64) {
    local.value.longestTurn = max(length, local.value.longestTurn)
    guard length > EventLoop.LongTurn.limit else { return }
    let handlers = shared.withLock { $0.longTurnHandlers }
    guard !handlers.isEmpty else { return }
    let began = local.value.now
    let connections = local.value.table.targets.compactMap { $0 as? ConnectionCore } + local.value.others
    let served = connections.filter { $0.hasMovedBytes(at: began) }
    let turn = EventLoop.LongTurn(
      duration: .nanoseconds(length), jobs: local.value.jobsOfTurn,
      connections: served.prefix(EventLoop.LongTurn.named).map { $0.snapshot() },
      connectionCount: served.count)
    for (_, handler) in handlers { handler(turn) }
  }
}
