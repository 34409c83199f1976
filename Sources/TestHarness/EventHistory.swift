/// The last events, for any number of readers, each of whom remembers how far it has read. Pure.
struct EventHistory<Event> {
  /// What a reader is told.
  enum Step {
    case event(Event)
    /// So many were dropped before it came to read them.
    case missed(Int)
    /// It has read everything so far.
    case nothing
    case end
  }

  private let limit: Int
  private var events: [(event: Event, cost: Int)] = []
  private var cost = 0
  /// How many have been dropped.
  private var dropped = 0
  private(set) var isFinished = false

  /// - Parameter limit: the most that the events kept may cost.
  init(limit: Int) { self.limit = limit }

  mutating func append(_ event: Event, cost: Int) {
    guard !isFinished else { return }
    events.append((event, cost))
    self.cost += cost
    guard self.cost > limit else { return }
    // The older half, so that not every event moves all others.
    var count = 0
    while self.cost > limit / 2, count < events.count - 1 {
      self.cost -= events[count].cost
      count += 1
    }
    events.removeFirst(count)
    dropped += count
  }

  mutating func finish() { isFinished = true }

  /// What comes after the first `position` events; moves the position past it.
  func next(_ position: inout Int) -> Step {
    if position < dropped {
      defer { position = dropped }
      return .missed(dropped - position)
    }
    let index = position - dropped
    guard index < events.count else { return isFinished ? .end : .nothing }
    position += 1
    return .event(events[index].event)
  }
}
