import TestSupport
import Testing

@testable import AsyncSockets

@Suite("The queue of output")
struct OutputQueueTests {
  @Test("holds what a plain array holds, however it is filled and emptied", arguments: 1...20)
  func agreesWithModel(seed: Int) throws {
    var numbers = SeededGenerator(seed: UInt64(seed))
    var queue = OutputQueue()
    var model = OutputModel()
    var next: UInt8 = 0
    for _ in 0..<600 {
      switch Int.random(in: 0..<10, using: &numbers) {
      case 0..<4:
        let bytes = (0..<Int.random(in: 0...300, using: &numbers)).map { _ in
          next &+= 1
          return next
        }
        if Bool.random(using: &numbers) {
          queue.append(bytes)
        } else {
          unsafe bytes.withUnsafeBytes { unsafe queue.append($0) }
        }
        model.bytes += bytes
        model.accepted += UInt64(bytes.count)
      case 4..<8:
        let count = Int.random(in: 0...model.bytes.count, using: &numbers)
        queue.consume(count)
        model.bytes.removeFirst(count)
      case 8:
        guard model.bytes.isEmpty else { continue }
        queue.passThrough(100)
        model.accepted += 100
      default:
        guard Int.random(in: 0..<5, using: &numbers) == 0 else { continue }
        queue.discard()
        model.lost += UInt64(model.bytes.count)
        model.bytes = []
      }
      try #require(unsent(queue) == model.bytes)
      try #require(queue.count == model.bytes.count)
      try #require(queue.isEmpty == model.bytes.isEmpty)
      try #require(queue.accepted == model.accepted)
      try #require(queue.written == model.accepted - model.lost - UInt64(model.bytes.count))
    }
  }

  @Test("counts what is accepted and what has left")
  func counters() {
    var queue = OutputQueue()
    queue.passThrough(3)
    queue.append([1, 2, 3, 4])
    queue.consume(1)
    #expect(queue.accepted == 7)
    #expect(queue.written == 4)
    #expect(queue.count == 3)
  }

  @Test("does not count as written what was thrown away")
  func discarding() {
    var queue = OutputQueue()
    queue.append([1, 2, 3, 4])
    queue.consume(1)
    queue.discard()
    #expect(queue.count == 0)
    #expect(queue.accepted == 4)
    #expect(queue.written == 1)
  }

  @Test("gives its memory back when it is drained", arguments: [true, false])
  func memory(isDiscarded: Bool) {
    var queue = OutputQueue()
    queue.append([UInt8](repeating: 1, count: 100_000))
    queue.append([UInt8](repeating: 2, count: 100_000))
    #expect(queue.capacity >= 200_000)
    if isDiscarded { queue.discard() } else { queue.consume(200_000) }
    #expect(queue.capacity == 0)
  }

  @Test("stays small when it is never quite empty")
  func neverEmpty() {
    var queue = OutputQueue()
    queue.append([UInt8](repeating: 0, count: 1000))
    for _ in 0..<10_000 {
      queue.append([UInt8](repeating: 0, count: 1000))
      queue.consume(1000)
    }
    #expect(queue.count == 1000)
    #expect(queue.capacity < 16_384)
  }

  private func unsent(_ queue: borrowing OutputQueue) -> [UInt8] {
    unsafe queue.withUnsent { unsafe [UInt8]($0) }
  }
}

/// The same as a plain array and a count.
private struct OutputModel {
  var bytes: [UInt8] = []
  var accepted: UInt64 = 0
  var lost: UInt64 = 0
}
