import AsyncSockets

/// What will happen in a network, the earliest first; of what happens at the same time, what was put in first.
///
/// A binary heap like the event loops' own, but for one type and without taking anything out early: half of a simulation's
/// time went into the generic one.
struct NetworkEvents {
  private struct Entry {
    let due: Int64
    let order: Int
    let slot: Int

    func precedes(_ other: Entry) -> Bool { due == other.due ? order < other.order : due < other.due }
  }

  private var heap: [Entry] = []
  private var events: [NetworkEvent?] = []
  private var freeSlots: [Int] = []
  private var inserted = 0

  var count: Int { heap.count }

  /// When the earliest is due.
  var next: EventLoop.Instant? { heap.first.map { EventLoop.Instant(nanoseconds: $0.due) } }

  mutating func insert(_ event: NetworkEvent, due: EventLoop.Instant) {
    let slot: Int
    if let free = freeSlots.popLast() {
      slot = free
      events[slot] = event
    } else {
      slot = events.count
      events.append(event)
    }
    let entry = Entry(due: due.nanoseconds, order: inserted, slot: slot)
    inserted += 1
    heap.append(entry)
    var child = heap.count - 1
    while child > 0, entry.precedes(heap[(child - 1) / 2]) {
      heap[child] = heap[(child - 1) / 2]
      child = (child - 1) / 2
    }
    heap[child] = entry
  }

  /// Takes the earliest out if it is due.
  mutating func popDue(_ now: EventLoop.Instant) -> NetworkEvent? {
    guard let first = heap.first, first.due <= now.nanoseconds, let last = heap.popLast() else { return nil }
    if !heap.isEmpty { sink(last) }
    freeSlots.append(first.slot)
    return events[first.slot].take()
  }

  /// Puts an entry in at the top, and down to its place.
  private mutating func sink(_ entry: Entry) {
    var parent = 0
    while 2 * parent + 1 < heap.count {
      var child = 2 * parent + 1
      if child + 1 < heap.count, heap[child + 1].precedes(heap[child]) { child += 1 }
      guard heap[child].precedes(entry) else { break }
      heap[parent] = heap[child]
      parent = child
    }
    heap[parent] = entry
  }
}
