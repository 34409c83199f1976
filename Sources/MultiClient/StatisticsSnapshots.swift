import AsyncSockets

/// A client's statistics, again and again.
public struct StatisticsSnapshots: AsyncSequence, Sendable {
  /// What the client was doing, and had done.
  public typealias Element = ClientStatistics

  let loop: EventLoop
  let interval: Duration
  /// `nil` once the client has nothing left to do.
  let take: @Sendable () async -> (ClientStatistics, isOver: Bool)

  /// An iterator, whose time begins now.
  public func makeAsyncIterator() -> Iterator { Iterator(snapshots: self, due: loop.now) }

  /// Takes one snapshot after each interval.
  public struct Iterator: AsyncIteratorProtocol {
    let snapshots: StatisticsSnapshots
    var due: EventLoop.Instant
    var isOver = false

    /// The statistics at the end of the next interval, on the loop's clock; intervals that nobody has waited for are left
    /// out. `nil` after those of the end, and when the task is cancelled.
    public mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async -> ClientStatistics? {
      if isOver { return nil }
      due = Swift.max(due.advanced(by: snapshots.interval), snapshots.loop.now)
      guard (try? await snapshots.loop.sleep(until: due)) != nil else { return nil }
      let (statistics, isOver) = await snapshots.take()
      self.isOver = isOver
      return statistics
    }
  }
}

extension MultiClient {
  /// The statistics at every interval, from one interval after the beginning of the iteration to the end of the client.
  ///
  /// - Parameter interval: on the loop's clock; at least a millisecond.
  public nonisolated func statistics(every interval: Duration) -> StatisticsSnapshots {
    StatisticsSnapshots(loop: loop, interval: max(interval, .milliseconds(1))) { [self] in
      await (statistics, isOver)
    }
  }

  /// Whether nothing is left to do, and nothing more will be added.
  public var isOver: Bool { core.isOver }
}
