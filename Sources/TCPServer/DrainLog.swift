import AsyncSockets

/// What a drain will have to report. Pure: it is told what happens to the connections, by their places in the roster.
struct DrainLog {
  typealias Entry = TCPServer.DrainReport.Entry
  typealias Outcome = TCPServer.DrainReport.Outcome

  private struct Cut {
    var outcome: Outcome
    var waits: [Connection.Wait]
  }

  private var began: EventLoop.Instant?
  private var cuts: [Int: Cut] = [:]
  private var entries: [Entry] = []

  var hasBegun: Bool { began != nil }

  mutating func begin(at now: EventLoop.Instant) {
    if began == nil { began = now }
  }

  /// The connection is about to be cancelled or aborted; what it was doing then. One that is closing is not cancelled:
  /// its output goes on going out. And nothing is cut of one that only waits for its peer's goodbye.
  mutating func cut(_ slot: Int, _ outcome: Outcome, _ snapshot: Connection.Snapshot) {
    if outcome == .cancelled, snapshot.isClosing { return }
    if snapshot.isClosing, !snapshot.isClosed, snapshot.bytesQueued == 0 { return }
    // What a cancelled handler does in its last second tells less than what it had been doing.
    let waits = cuts[slot]?.waits ?? snapshot.waits
    cuts[slot] = Cut(outcome: outcome, waits: waits)
  }

  /// Whoever was there has not been served.
  mutating func forget(_ slot: Int) { cuts[slot] = nil }

  /// A connection has ended. One whose handler left by its cancellation may do so before the server knows of its own.
  mutating func ended(_ slot: Int, _ snapshot: Connection.Snapshot, reason: CloseReason) {
    guard hasBegun else { return }
    let cut = cuts.removeValue(forKey: slot)
    let unsent = snapshot.counters.bytesAccepted - snapshot.counters.bytesWritten
    let outcome =
      cut.map { unsent > 0 ? .aborted : $0.outcome } ?? (reason == .cancelled ? .cancelled : .finished)
    entries.append(
      Entry(
        peerAddress: snapshot.peerAddress, outcome: outcome, reason: reason, age: snapshot.age,
        waits: cut?.waits ?? [], bytesUnsent: unsent))
  }

  /// - Parameter left: the connections that are still there.
  func report(at now: EventLoop.Instant, left: [Connection.Snapshot]) -> TCPServer.DrainReport {
    let unfinished = left.map { snapshot in
      Entry(
        peerAddress: snapshot.peerAddress, outcome: .unfinished, reason: nil, age: snapshot.age,
        waits: snapshot.waits, bytesUnsent: snapshot.bytesQueued)
    }
    return TCPServer.DrainReport(
      connections: entries + unfinished, duration: began.map { $0.duration(to: now) } ?? .zero)
  }
}
