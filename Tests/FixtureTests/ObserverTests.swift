import AsyncSockets
import Framing
import Peers
import Testing

@testable import TestHarness

@Suite("Observers of a test server", .standingClock, .timeLimit(.minutes(2)))
struct ObserverTests {
  @Test("one that never reads slows nobody, and another sees everything, in order")
  func slowObserver() async throws {
    try await withTestServer(.echo, framing: .lines) { server in
      var idle = server.events.makeAsyncIterator()
      _ = await idle.next()
      let client = try await server.connect()
      for number in 0..<200 { #expect(try await client.ask("\(number)") == "\(number)") }
      client.close()
      async let one = server.story()
      async let other = server.story()
      let story = try await one
      #expect(try await other == story)
      #expect(story.filter { $0.hasPrefix("input") } == (0..<200).map { "input 1 \($0)" })
      // It has missed nothing either.
      #expect(await idle.next().map(Story.word) == "connected 1")
    }
  }

  @Test("one that falls too far behind is told how much it has missed, and the memory is bounded")
  func missedEvents() async throws {
    var history = EventHistory<Int>(limit: 100)
    var early = 0
    for number in 0..<1000 { history.append(number, cost: 10) }
    guard case .missed(let count) = history.next(&early) else {
      Issue.record("nothing was missed")
      return
    }
    var seen: [Int] = []
    while case .event(let number) = history.next(&early) { seen.append(number) }
    #expect(seen == Array(count..<1000) && seen.count <= 10 && seen.count >= 5)
    history.finish()
    history.append(7, cost: 1)
    guard case .end = history.next(&early) else {
      Issue.record("it goes on")
      return
    }
  }

  @Test("an event that alone is above the limit is kept until the next comes")
  func hugeEvent() {
    var history = EventHistory<String>(limit: 10)
    var position = 0
    history.append("huge", cost: 1000)
    if case .event(let event) = history.next(&position) { #expect(event == "huge") } else { Issue.record() }
    history.append("next", cost: 1)
    if case .event(let event) = history.next(&position) { #expect(event == "next") } else { Issue.record() }
  }

  @Test("cancelling an observer ends its sequence")
  func cancelledObserver() async throws {
    try await withTestServer(.echo) { server in
      let events = server.events
      await withTaskGroup(of: Int.self) { group in
        group.addTask {
          var count = 0
          for await _ in events { count += 1 }
          return count
        }
        group.cancelAll()
        for await count in group { #expect(count <= 1) }
      }
    }
  }
}
