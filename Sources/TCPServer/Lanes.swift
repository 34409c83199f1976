import AsyncSockets

/// The lanes of one acceptor.
final class Lanes: Sendable {
  private struct State {
    var table = LaneTable()
    var lanes: [Lane] = []
  }

  private let state = Lock(State())

  /// Sends a connection to a lane with room.
  ///
  /// - Returns: the lane if it is new, and somebody has to run it.
  func place(_ arrival: Lane.Arrival) -> Lane? {
    let (lane, isNew) = state.withLock { state in
      let (number, isNew) = state.table.enter()
      if isNew { state.lanes.append(Lane(number: number)) }
      return (state.lanes[number], isNew)
    }
    lane.add(arrival)
    return isNew ? lane : nil
  }

  /// A connection of this lane has ended.
  func leave(_ lane: Lane) { state.withLock { $0.table.leave(lane.number) } }

  /// Nobody more will come.
  func close() {
    for lane in state.withLock({ $0.lanes }) { lane.close() }
  }
}
