import TestHarness
import TestSupport
import Testing

@testable import AsyncSockets

@Suite("The messages that are kept for a slow receiver")
struct MessageBacklogTests {
  @Test("it keeps the latest in their order, however they come and go")
  func model() {
    for seed in 0..<200 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      let limit = Int.random(in: 1...5, using: &random)
      var backlog = MessageBacklog(limit: limit)
      var model: [[UInt8]] = []
      var isBusy = false
      for number in 0..<200 as Range<UInt8> {
        if Bool.random(using: &random) {
          let isLossless = backlog.add([number])
          model.append([number])
          #expect(isLossless == (model.count <= limit))
          if model.count > limit { model.removeFirst() }
          isBusy = true
        } else {
          let message = backlog.next()
          #expect(message == model.first)
          // The last is still under way when it has been taken.
          if model.isEmpty { isBusy = false } else { model.removeFirst() }
        }
        #expect(backlog.count == model.count)
        #expect(backlog.isBusy == isBusy)
      }
    }
  }

  @Test("abandoned, it keeps nothing")
  func abandoned() {
    var backlog = MessageBacklog(limit: 3)
    _ = backlog.add([1])
    backlog.abandon()
    #expect(backlog.isAbandoned)
    #expect(backlog.count == 0)
  }
}
