import AsyncSockets

/// The faults of one direction of a connection, each after the one before it. Pure.
struct FaultChain {
  private struct Stage {
    let id: Int
    var toxic: any Toxic
    var held: ParcelQueue

    mutating func next(at now: EventLoop.Instant) -> ToxicStep { toxic.next(&held, at: now) }
  }

  private static let capacity = 65_536

  private var stages: [Stage] = []
  /// Through all of them, for the receiver.
  private var delivered = ParcelQueue(capacity: capacity)
  private var hasEnded = false

  // MARK: Faults

  /// Adds a fault after all that are there: it concerns what they have not let go yet.
  mutating func add(_ toxic: any Toxic, id: Int) {
    stages.append(Stage(id: id, toxic: toxic, held: ParcelQueue(capacity: toxic.capacity)))
  }

  /// Removes a fault, and lets go what it holds.
  mutating func remove(id: Int, at now: EventLoop.Instant) {
    guard let index = stages.firstIndex(where: { $0.id == id }) else { return }
    while let parcel = stages[index].held.popFirst() { put(parcel, into: index + 1, at: now) }
    stages.remove(at: index)
  }

  // MARK: Parcels

  /// Whether the sender may go on.
  var hasRoom: Bool { hasRoom(0) && !delivered.isOverfull && !stages.contains { $0.held.isOverfull } }

  mutating func take(_ parcel: Parcel, at now: EventLoop.Instant) { put(parcel, into: 0, at: now) }

  /// What the receiver is to get next.
  mutating func deliver() -> Parcel? { delivered.popFirst() }

  var hasDelivery: Bool { delivered.first != nil }

  /// Moves everything on that may go on.
  ///
  /// - Returns: when to come again, if nothing else happens before, and whether the connection is to end at once.
  mutating func run(at now: EventLoop.Instant) -> (due: EventLoop.Instant?, severance: Severance?) {
    var due: EventLoop.Instant?
    var hasMoved = true
    while hasMoved {
      hasMoved = false
      due = nil
      for index in stages.indices {
        // Who is without room will make some, and this is called again.
        moving: while hasRoom(index + 1) {
          switch stages[index].next(at: now) {
          case .pass(let parcel):
            put(parcel, into: index + 1, at: now)
            hasMoved = true
          case .wait(let time):
            due = Self.earlier(due, time)
            break moving
          }
        }
      }
    }
    for case let doom? in stages.map(\.toxic.doom) {
      if doom.at <= now { return (nil, doom.end) }
      due = Self.earlier(due, doom.at)
    }
    return (due, nil)
  }

  private func hasRoom(_ index: Int) -> Bool {
    index < stages.count ? stages[index].held.hasRoom : delivered.hasRoom
  }

  private mutating func put(_ parcel: Parcel, into index: Int, at now: EventLoop.Instant) {
    if index < stages.count { return stages[index].held.append(parcel, at: now) }
    switch parcel {
    case .bytes, .end:
      // A fault may end a stream before its sender does.
      if hasEnded { return }
      hasEnded = parcel == .end
    case .reset, .close: break
    }
    delivered.append(parcel, at: now)
  }

  private static func earlier(_ a: EventLoop.Instant?, _ b: EventLoop.Instant?) -> EventLoop.Instant? {
    guard let a, let b else { return a ?? b }
    return min(a, b)
  }
}
