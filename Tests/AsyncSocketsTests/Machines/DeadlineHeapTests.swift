import TestSupport
import Testing

@testable import AsyncSockets

@Suite("A heap of deadlines")
struct DeadlineHeapTests {
  private static func at(_ nanoseconds: Int64) -> EventLoop.Instant {
    EventLoop.Instant(nanoseconds: nanoseconds)
  }

  @Test("gives what a sorted list gives, whatever is set, taken out or due", arguments: 1...20)
  func agreesWithModel(seed: Int) throws {
    var numbers = SeededGenerator(seed: UInt64(seed))
    var heap = DeadlineHeap<Int>()
    var model = DeadlineModel()
    var spent: [DeadlineHeap<Int>.ID] = []
    for step in 0..<1500 {
      switch Int.random(in: 0..<10, using: &numbers) {
      case 0..<5:
        // Few different times, so that there are ties.
        let due = Self.at(.random(in: 0..<40, using: &numbers))
        model.insert(step, due: due, id: heap.insert(step, due: due))
      case 5..<7:
        guard let removed = model.removeRandom(using: &numbers) else { continue }
        heap.remove(removed)
        spent.append(removed)
      case 7:
        guard let stale = spent.randomElement(using: &numbers) else { continue }
        heap.remove(stale)
      default:
        let now = Self.at(.random(in: 0..<40, using: &numbers))
        let expected = model.popDue(now)
        try #require(heap.popDue(now) == expected?.payload)
        if let expected { spent.append(expected.id) }
      }
      try #require(heap.count == model.entries.count)
      try #require(heap.next == model.entries.first?.due)
    }
    while let expected = model.popDue(Self.at(.max)) {
      #expect(heap.popDue(Self.at(.max)) == expected.payload)
    }
    #expect(heap.popDue(Self.at(.max)) == nil)
    #expect(heap.count == 0)
    #expect(heap.next == nil)
  }

  @Test("gives equal deadlines in the order in which they were set")
  func ties() {
    var heap = DeadlineHeap<Int>()
    for payload in 0..<1000 { _ = heap.insert(payload, due: Self.at(7)) }
    #expect((0..<1000).map { _ in heap.popDue(Self.at(7)) } == Array(0..<1000))
  }

  @Test("gives nothing before its time, and everything at it")
  func neverEarly() {
    var heap = DeadlineHeap<String>()
    _ = heap.insert("due", due: Self.at(10))
    #expect(heap.popDue(Self.at(9)) == nil)
    #expect(heap.popDue(Self.at(10)) == "due")
  }

  @Test("knows a spent id from the next deadline at the same place")
  func staleIds() {
    var heap = DeadlineHeap<String>()
    let first = heap.insert("first", due: Self.at(1))
    #expect(heap.popDue(Self.at(1)) == "first")
    _ = heap.insert("second", due: Self.at(2))
    heap.remove(first)
    #expect(heap.count == 1)
    #expect(heap.popDue(Self.at(2)) == "second")
  }

  @Test("lets go of what it held as soon as that is taken out")
  func releasesPayloads() {
    final class Payload {}
    var heap = DeadlineHeap<Payload>()
    weak var removed: Payload?
    weak var popped: Payload?
    do {
      let (one, other) = (Payload(), Payload())
      (removed, popped) = (one, other)
      heap.remove(heap.insert(one, due: Self.at(1)))
      _ = heap.insert(other, due: Self.at(1))
      _ = heap.popDue(Self.at(1))
    }
    #expect(removed == nil)
    #expect(popped == nil)
  }

  @Test("holds nothing after 20,000 deadlines that were set and taken out again (P48)")
  func nothingIsLeft() {
    var heap = DeadlineHeap<Int>()
    let ids = (0..<20_000).map { heap.insert($0, due: Self.at(Int64($0 * 7919 % 20_011))) }
    #expect(heap.count == 20_000)
    for id in ids { heap.remove(id) }
    #expect(heap.count == 0)
    #expect(heap.next == nil)
  }
}

/// The same as a sorted list.
private struct DeadlineModel {
  struct Entry {
    let due: EventLoop.Instant
    let payload: Int
    let id: DeadlineHeap<Int>.ID
  }

  private(set) var entries: [Entry] = []

  mutating func insert(_ payload: Int, due: EventLoop.Instant, id: DeadlineHeap<Int>.ID) {
    let position = entries.firstIndex { $0.due > due } ?? entries.count
    entries.insert(Entry(due: due, payload: payload, id: id), at: position)
  }

  mutating func removeRandom(using numbers: inout SeededGenerator) -> DeadlineHeap<Int>.ID? {
    guard let index = entries.indices.randomElement(using: &numbers) else { return nil }
    return entries.remove(at: index).id
  }

  mutating func popDue(_ now: EventLoop.Instant) -> Entry? {
    guard let first = entries.first, first.due <= now else { return nil }
    return entries.removeFirst()
  }
}
