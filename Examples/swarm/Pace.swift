import AsyncSockets

/// When each message goes. Pure.
struct Pace {
  enum Rule {
    /// As soon as the reply to the last one has come, or so long after it.
    case afterReply(think: Duration)
    /// On a grid of time that all connections share, each with slots of its own.
    case grid(slot: Duration, connections: Int)
  }

  let rule: Rule
  let began: EventLoop.Instant
  /// When no message goes any more.
  let end: EventLoop.Instant?

  init(_ options: Options, began: EventLoop.Instant) {
    if let rate = options.rate {
      rule = .grid(slot: .seconds(1 / rate), connections: options.connections)
    } else {
      rule = .afterReply(think: options.think)
    }
    self.began = began
    end = options.duration.map(began.advanced(by:))
  }

  /// Whether it is too late for a message.
  func isOver(at now: EventLoop.Instant) -> Bool { end.map { now >= $0 } ?? false }

  /// When a connection, the first of which is 1, that stands from now on sends its first message: in its next slot.
  func first(_ connection: Int, now: EventLoop.Instant) -> EventLoop.Instant {
    guard case .grid(let slot, let connections) = rule else { return now }
    let round = slot * connections
    let first = began.advanced(by: slot * (connection - 1))
    guard first < now else { return first }
    let rounds = (first.duration(to: now) / round).rounded(.up)
    return first.advanced(by: round * Int(rounds))
  }

  /// When the next message goes, after one that was due then, and whose reply has come now. With a rate that is in the
  /// past for who is behind, who so makes up for it.
  func next(after due: EventLoop.Instant, now: EventLoop.Instant) -> EventLoop.Instant {
    switch rule {
    case .afterReply(let think): now.advanced(by: think)
    case .grid(let slot, let connections): due.advanced(by: slot * connections)
    }
  }
}
