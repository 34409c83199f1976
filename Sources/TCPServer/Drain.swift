/// How a server comes to its end. Pure: it is told what happens and when, and answers what to do.
///
/// Serving, then draining (handlers finish by themselves), then cancelling (handlers have been told to stop), then
/// aborting (their connections are gone).
struct Drain<Instant: Comparable> {
  enum Phase: Comparable { case serving, draining, cancelling, aborting }
  enum Action { case cancelHandlers, abortConnections, nothing }

  private(set) var phase = Phase.serving
  /// When the present phase ends; `nil` for never.
  private(set) var deadline: Instant?

  /// Whether this began the drain: a later call can only move its deadline closer.
  mutating func begin(until end: Instant) -> Bool {
    switch phase {
    case .serving:
      phase = .draining
      deadline = end
      return true
    case .draining:
      deadline = deadline.map { min($0, end) }
      return false
    case .cancelling, .aborting: return false
    }
  }

  /// The deadline has come.
  mutating func expire(next: Instant) -> Action {
    switch phase {
    case .serving: return .nothing
    case .draining: return cancel(next: next)
    case .cancelling:
      phase = .aborting
      deadline = nil
      return .abortConnections
    case .aborting: return .nothing
    }
  }

  /// The server itself is cancelled: the hard stop.
  mutating func cancel(next: Instant) -> Action {
    guard phase < .cancelling else { return .nothing }
    phase = .cancelling
    deadline = next
    return .cancelHandlers
  }
}
