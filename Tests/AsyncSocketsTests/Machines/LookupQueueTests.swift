import Testing

@testable import AsyncSockets

@Suite("The queue of look-ups")
struct LookupQueueTests {
  private final class Job {
    let number: Int
    init(_ number: Int) { self.number = number }
  }

  private enum Event { case add, threadAsks, removeFirst, removeLast, threadFails }

  private struct Model {
    static let limit = 2
    static let capacity = 3

    var queue = LookupQueue<Job>(threadLimit: limit, capacity: capacity)
    var expected: [Int] = []
    var threads = 0
    var last = 0

    mutating func apply(_ event: Event) -> String? {
      switch event {
      case .add:
        last += 1
        let admission = queue.add(Job(last))
        if expected.count == Self.capacity { return admission == .full ? check() : "took one too many" }
        expected.append(last)
        if threads < Self.limit {
          threads += 1
          if admission != .startThread { return "no thread for a job" }
        } else if admission != .waits {
          return "one thread too many"
        }
      case .threadAsks:
        if threads == 0 { return nil }
        let job = queue.next()?.number
        if job != expected.first { return "the wrong job" }
        if job == nil { threads -= 1 } else { expected.removeFirst() }
      case .removeFirst, .removeLast:
        guard let job = event == .removeFirst ? queue.waiting.first : queue.waiting.last else { return nil }
        queue.remove(job)
        expected.removeAll { $0 == job.number }
      case .threadFails:
        if threads == 0 { return nil }
        threads -= 1
        let lost = queue.threadFailed().map(\.number)
        if lost != (threads == 0 ? expected : []) { return "the wrong jobs are given up" }
        if threads == 0 { expected = [] }
      }
      return check()
    }

    private func check() -> String? {
      if queue.threads != threads { return "\(queue.threads) threads instead of \(threads)" }
      if queue.waiting.map(\.number) != expected { return "the wrong jobs wait" }
      if !expected.isEmpty, threads == 0 { return "jobs wait and there is no thread" }
      return nil
    }
  }

  @Test("keeps order, bounds and threads under every sequence of events (P57)")
  func everySequence() {
    let exploration = Exploration(
      from: Model(), events: [Event.add, .threadAsks, .removeFirst, .removeLast, .threadFails], depth: 8
    ) { model, event in model.apply(event) }
    #expect(exploration.violations == [])
    #expect(exploration.steps > 400_000)
  }
}
