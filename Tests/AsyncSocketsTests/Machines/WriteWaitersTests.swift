import Testing

@testable import AsyncSockets

@Suite("Those who wait to write")
struct WriteWaitersTests {
  private static let everything = WaitersModel.Event.allCases

  @Test("go on in order, one at a time, and nobody is forgotten, in every sequence of five events")
  func everySequence() async {
    let exploration = await withMarker { marker in
      Exploration(from: WaitersModel(marker: marker), events: Self.everything, depth: 5) { $0.step($1) }
    }
    #expect(exploration.violations == [])
  }

  @Test("do so in every sequence of seven events around turns")
  func everySequenceOfTurns() async {
    let exploration = await withMarker { marker in
      Exploration(
        from: WaitersModel(marker: marker), events: [.waitForTurn, .fill, .drain, .useTurn, .cancelFirst],
        depth: 7
      ) { $0.step($1) }
    }
    #expect(exploration.violations == [])
  }

  @Test("are let in at the low mark, not at the high one")
  func lowMark() async throws {
    let marks = try Watermarks(high: 100, low: 50)
    let counts = await withMarker { marker in
      [100, 99, 51, 50].map { count in
        var waiters = WriteWaiters()
        waiters.add(WriteWaiters.Waiter(id: 1, goal: .turn, continuation: marker))
        return waiters.takeReady(count: count, written: 0, hasEnded: false, marks: marks).count
      }
    }
    #expect(counts == [0, 0, 0, 1])
  }

  @Test("of a flush go on when their position is with the kernel, whatever was queued later")
  func position() async {
    let (before, at) = await withMarker { marker in
      var waiters = WriteWaiters()
      waiters.add(WriteWaiters.Waiter(id: 1, goal: .written(1000), continuation: marker))
      let before = waiters.takeReady(count: 90_000, written: 999, hasEnded: false, marks: .standard)
      let at = waiters.takeReady(count: 90_000, written: 1000, hasEnded: false, marks: .standard)
      return (before.count, at.count)
    }
    #expect(before == 0)
    #expect(at == 1)
  }

  @Test("in the connection's own task can be taken out by themselves")
  func owned() async {
    let (owned, left) = await withMarker { marker in
      var waiters = WriteWaiters()
      waiters.add(WriteWaiters.Waiter(id: 1, goal: .turn, continuation: marker, isOwner: true))
      waiters.add(WriteWaiters.Waiter(id: 2, goal: .turn, continuation: marker))
      let owned = waiters.removeOwned().count
      let left = waiters.removeAll().count
      return (owned, waiters.mustQueue ? -1 : left)
    }
    #expect(owned == 1)
    #expect(left == 1)
  }

  @Test("are all gone, and the turn with them, when the connection has failed")
  func failing() async {
    let (count, mustQueue) = await withMarker { marker in
      var waiters = WriteWaiters()
      for id in 1...3 as ClosedRange<UInt32> {
        waiters.add(WriteWaiters.Waiter(id: id, goal: .turn, continuation: marker))
      }
      let letIn = waiters.takeReady(count: 0, written: 0, hasEnded: false, marks: .standard).count
      return (letIn + waiters.removeAll().count, waiters.mustQueue)
    }
    #expect(count == 3)
    #expect(!mustQueue)
  }

  @Test("for a turn are sent away when the connection closes, while the others still wait for their bytes")
  func closing() async {
    let (turns, left) = await withMarker { marker in
      var waiters = WriteWaiters()
      waiters.add(WriteWaiters.Waiter(id: 1, goal: .turn, continuation: marker))
      waiters.add(WriteWaiters.Waiter(id: 2, goal: .written(9), continuation: marker))
      waiters.add(WriteWaiters.Waiter(id: 3, goal: .turn, continuation: marker))
      let turns = waiters.removeTurns().count
      return (turns, waiters.takeReady(count: 0, written: 9, hasEnded: false, marks: .standard).count)
    }
    #expect(turns == 2)
    #expect(left == 1)
  }

  @Test(
    "need marks that make sense (scenario F9)", arguments: [(0, 0), (10, 0), (10, -1), (10, 11), (-5, -6)])
  func badMarks(high: Int, low: Int) {
    let error = #expect(throws: SocketError.self) { try Watermarks(high: high, low: low) }
    #expect(error?.description.contains("0 < low <= high") == true)
    #expect(error?.description.contains("\(high)") == true)
  }

  @Test("may have one mark for both (scenario F9)")
  func equalMarks() throws {
    let marks = try Watermarks(high: 1, low: 1)
    #expect(marks.high == 1)
    #expect(marks.low == 1)
    #expect(Watermarks.standard.high == 65_536)
    #expect(Watermarks.standard.low == 32_768)
  }

  /// Runs `body` with a continuation that stands for anybody's, since none can be made without a task that waits.
  private func withMarker<Result>(_ body: (WakeContinuation) -> Result) async -> Result {
    var result: Result?
    _ = await WakeContinuation.suspend { continuation in
      result = body(continuation)
      continuation.resume()
    }
    guard let result else { fatalError("the body has run") }
    return result
  }
}
