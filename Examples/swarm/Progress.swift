/// How far a run is.
struct Progress: Equatable {
  var connections = 0
  var waiting = 0
  var connecting = 0
  var open = 0
  var replies: UInt64 = 0
  var errors = 0
  var rate = 0.0
  var elapsed = Duration.zero
  /// From 0 to 1.
  var share = 0.0
}

extension Progress {
  init(_ options: Options, _ counts: Tally.Counts, elapsed: Duration, rate: Double) {
    connections = options.connections
    waiting = max(0, options.connections - counts.begun)
    connecting = max(0, counts.begun - counts.opened - counts.failed)
    open = counts.opened - counts.closed
    replies = counts.right + counts.wrong
    errors = counts.errors.total
    self.rate = rate
    self.elapsed = elapsed
    let byTime = options.duration.map { elapsed / $0 } ?? 0
    let byReplies = options.messages.map { Double(replies) / (Double($0) * Double(options.connections)) } ?? 0
    let settled = Double(counts.settled) / Double(options.connections)
    share = min(1, max(byTime, byReplies, settled))
  }
}
