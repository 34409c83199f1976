/// Which of several task groups the task of a connection joins. Pure.
///
/// A task group finds a child that has ended by walking the list of all its children. Among thousands of connections
/// that stay, each one that comes and goes would cost as many cache misses; so no group has more than a few hundred.
struct LaneTable {
  /// The most connections in one lane.
  static let capacity = 256

  private var counts: [Int] = []
  private var withRoom: [Int] = []

  /// Finds a lane with room; `isNew` when there was none.
  mutating func enter() -> (lane: Int, isNew: Bool) {
    guard let lane = withRoom.last else {
      counts.append(1)
      withRoom.append(counts.count - 1)
      return (counts.count - 1, true)
    }
    counts[lane] += 1
    if counts[lane] == Self.capacity { withRoom.removeLast() }
    return (lane, false)
  }

  mutating func leave(_ lane: Int) {
    if counts[lane] == Self.capacity { withRoom.append(lane) }
    counts[lane] -= 1
  }
}
