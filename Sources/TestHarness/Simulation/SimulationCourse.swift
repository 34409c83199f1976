import AsyncSockets

/// The way that a run of a simulation has come: what had happened by each of its turns.
struct SimulationCourse: Sendable {
  struct Stop: Hashable, Sendable {
    let fingerprint: UInt64
    let time: EventLoop.Instant
  }

  /// By how many jobs had run.
  private(set) var stops: [Int: Stop] = [:]

  mutating func note(_ stop: Stop, afterJobs jobs: Int) { stops[jobs] = stop }

  /// Where another run has left this one; `nil` while it has come the same way.
  ///
  /// - Parameter isCut: whether that run has had a turn cut short to get to where it is.
  func difference(to stop: Stop, afterJobs jobs: Int, isCut: Bool) -> String? {
    guard let own = stops[jobs] else {
      return isCut ? nil : "after \(jobs.of("job")) only one of them began a turn"
    }
    if own == stop { return nil }
    let times = (first: Self.text(own.time), then: Self.text(stop.time))
    return own.time == stop.time
      ? "after \(jobs.of("job")), at \(times.first), they had not done the same"
      : "after \(jobs.of("job")) it was \(times.first) in the first and \(times.then) in the other"
  }

  private static func text(_ time: EventLoop.Instant) -> String {
    Duration.nanoseconds(time.nanoseconds).briefly
  }
}
