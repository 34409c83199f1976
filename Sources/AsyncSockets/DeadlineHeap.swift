/// Deadlines in the order in which they fall due, each of which can be taken out again in O(log n).
///
/// Pure: it takes the time as an argument and fires nothing itself.
package struct DeadlineHeap<Payload> {
  /// Names one scheduled deadline; a spent one matches nothing.
  package struct ID: Hashable, Sendable {
    fileprivate let slot: UInt32
    fileprivate let generation: UInt32

    /// Matches nothing.
    package static var none: ID { ID(slot: .max, generation: 0) }
  }

  private struct Entry {
    let due: EventLoop.Instant
    /// Breaks ties, so that equal deadlines fire in the order in which they were set.
    let order: UInt64
    let slot: UInt32
    let payload: Payload

    func precedes(_ other: Entry) -> Bool {
      due == other.due ? order < other.order : due < other.due
    }
  }

  private struct Slot {
    var position: Int
    var generation: UInt32
  }

  private var heap: [Entry] = []
  private var slots: [Slot] = []
  private var freeSlots: [UInt32] = []
  private var nextOrder: UInt64 = 0

  package init() {}

  package var count: Int { heap.count }

  func count(where isCounted: (Payload) -> Bool) -> Int { heap.count { isCounted($0.payload) } }

  /// The earliest deadline.
  package var next: EventLoop.Instant? { heap.first?.due }

  package mutating func insert(_ payload: Payload, due: EventLoop.Instant) -> ID {
    let slot: UInt32
    if let free = freeSlots.popLast() {
      slot = free
    } else {
      slot = UInt32(slots.count)
      slots.append(Slot(position: 0, generation: 0))
    }
    heap.append(Entry(due: due, order: nextOrder, slot: slot, payload: payload))
    nextOrder += 1
    slots[Int(slot)].position = heap.count - 1
    siftUp(heap.count - 1)
    return ID(slot: slot, generation: slots[Int(slot)].generation)
  }

  /// Takes a deadline out before it fires; a spent id does nothing.
  mutating func remove(_ id: ID) {
    let index = Int(id.slot)
    guard slots.indices.contains(index), slots[index].generation == id.generation else { return }
    _ = extract(slots[index].position)
  }

  /// Takes the earliest deadline out if it is due.
  package mutating func popDue(_ now: EventLoop.Instant) -> Payload? {
    guard let first = heap.first, first.due <= now else { return nil }
    return extract(0).payload
  }

  private mutating func extract(_ position: Int) -> Entry {
    let entry = heap[position]
    let last = heap.removeLast()
    if position < heap.count {
      heap[position] = last
      slots[Int(last.slot)].position = position
      siftUp(position)
      siftDown(slots[Int(last.slot)].position)
    }
    slots[Int(entry.slot)].generation &+= 1
    freeSlots.append(entry.slot)
    return entry
  }

  private mutating func siftUp(_ start: Int) {
    var child = start
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].precedes(heap[parent]) else { return }
      exchange(child, parent)
      child = parent
    }
  }

  private mutating func siftDown(_ start: Int) {
    var parent = start
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < heap.count && heap[child].precedes(heap[least]) {
        least = child
      }
      guard least != parent else { return }
      exchange(parent, least)
      parent = least
    }
  }

  private mutating func exchange(_ a: Int, _ b: Int) {
    heap.swapAt(a, b)
    slots[Int(heap[a].slot)].position = a
    slots[Int(heap[b].slot)].position = b
  }
}

package typealias DeadlineID = DeadlineHeap<ScheduledDeadline>.ID
