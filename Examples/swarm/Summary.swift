import MultiClient

/// What a run has done, or several together.
struct Summary: Equatable, Sendable {
  struct Connections: Equatable, Sendable {
    var asked = 0
    var opened = 0
    /// From the beginning until the last one stood.
    var opening = Duration.zero
  }

  struct Messages: Equatable, Sendable {
    var sent: UInt64 = 0
    var right: UInt64 = 0
    var wrong: UInt64 = 0

    /// Those whose reply has not come.
    var unanswered: UInt64 { sent - min(sent, right +| wrong) }
  }

  var runs = 1
  /// Where to, and what: one line.
  var heading: String
  /// From the beginning to the last reply.
  var elapsed = Duration.zero
  /// The signal that ended it before its time.
  var signal: Int32?
  var connections = Connections()
  var messages = Messages()
  var bytesReceived: UInt64 = 0
  var bytesSent: UInt64 = 0
  /// From the beginning of an attempt to the connection.
  var connecting = LatencyHistogram()
  /// From a message to its reply.
  var replies = LatencyHistogram()
  var errors = ErrorTable()

  init(heading: String) { self.heading = heading }

  /// What a run ends the program with.
  var exitStatus: Int32 { signal.map { 128 + $0 } ?? (errors.total == 0 ? 0 : 1) }

  /// Replies in a second, right and wrong ones.
  var repliesPerSecond: Double {
    elapsed > .zero ? Double(messages.right +| messages.wrong) / (elapsed / .seconds(1)) : 0
  }

  /// That of both, as if they had been one; of runs that were at the same time.
  func merged(with other: Summary) -> Summary {
    var merged = self
    merged.runs = runs +| other.runs
    if heading != other.heading { merged.heading = "several different runs" }
    merged.elapsed = max(elapsed, other.elapsed)
    merged.signal = signal ?? other.signal
    merged.connections.asked = connections.asked +| other.connections.asked
    merged.connections.opened = connections.opened +| other.connections.opened
    merged.connections.opening = max(connections.opening, other.connections.opening)
    merged.messages.sent = messages.sent +| other.messages.sent
    merged.messages.right = messages.right +| other.messages.right
    merged.messages.wrong = messages.wrong +| other.messages.wrong
    merged.bytesReceived = bytesReceived +| other.bytesReceived
    merged.bytesSent = bytesSent +| other.bytesSent
    merged.connecting.merge(other.connecting)
    merged.replies.merge(other.replies)
    merged.errors.merge(other.errors)
    return merged
  }
}

extension Summary {
  init(
    _ options: Options, _ target: Target, _ counts: Tally.Counts, _ statistics: ClientStatistics,
    began: EventLoop.Instant, signal: Int32?
  ) {
    heading = Self.heading(options, target)
    self.signal = signal
    elapsed = (counts.lastReply ?? counts.lastOpened).map(began.duration(to:)) ?? .zero
    connections = Connections(
      asked: options.connections, opened: counts.opened,
      opening: counts.lastOpened.map(began.duration(to:)) ?? .zero)
    messages = Messages(sent: counts.sent, right: counts.right, wrong: counts.wrong)
    bytesReceived = statistics.bytesRead
    bytesSent = statistics.bytesWritten
    connecting = statistics.connectLatency
    replies = counts.latency
    errors = counts.errors
  }

  /// What is about to be done: one line.
  static func heading(_ options: Options, _ target: Target) -> String {
    let unit = options.script.isBytes ? "message" : "line"
    let size = options.script.size.counted("byte")
    var text = options.connections.counted("connection") + " to "
    text += options.target == nil ? "an echo server of its own" : "\(target)"
    text += options.messages.map { ", \($0.counted(unit)) of \(size) each" } ?? ", \(unit)s of \(size)"
    if let duration = options.duration { text += ", for \(duration.roundText)" }
    if let rate = options.rate {
      text += ", \(rate == rate.rounded() ? Int(rate).grouped : "\(rate)") a second"
    }
    return text
  }
}
