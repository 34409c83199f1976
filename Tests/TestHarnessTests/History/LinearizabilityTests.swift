import AsyncSockets
import Testing

@testable import TestHarness

@Suite("Linearizability") struct LinearizabilityTests {
  enum Command: Hashable, Sendable {
    case get
    case put(Int)
    case increase
  }

  private struct Lost: Error {}

  @Sendable private static func apply(_ value: inout Int, _ command: Command) -> Int {
    switch command {
    case .get: break
    case .put(let new): value = new
    case .increase: value += 1
    }
    return value
  }

  private let history: History<Command, Int>

  init() throws { history = History(on: try EventLoopGroup.shared.next()) }

  private func isLinearizable(limit: Int = 100_000) throws -> Bool {
    do {
      try history.check(.linearizable(from: 0, limit: limit, Self.apply))
      return true
    } catch is HistoryViolation {
      return false
    }
  }

  @Test("a read sees what was written before it began")
  func staleRead() throws {
    history.began("w", .put(1))
    history.replied("w", 1)
    history.began("r", .get)
    history.replied("r", 0)
    #expect(try !isLinearizable())
  }

  @Test("a read at the same time as a write sees either value, and no third")
  func concurrentRead() throws {
    for (number, value) in [0, 1].enumerated() {
      history.began("w\(number)", .put(1))
      history.began("r\(number)", .get)
      history.replied("r\(number)", number == 0 ? value : 1)
      history.replied("w\(number)", 1)
    }
    #expect(try isLinearizable())
    history.began("r", .get)
    history.replied("r", 2)
    #expect(try !isLinearizable())
  }

  @Test("what is unknown may have been done, at any later time, or never")
  func unknown() throws {
    history.began("w", .put(1))
    history.unknown("w", Lost())
    for (number, value) in [0, 0, 1, 1].enumerated() {
      history.began("r\(number)", .get)
      history.replied("r\(number)", value)
    }
    #expect(try isLinearizable())
    // Once it is done it stays done.
    history.began("r", .get)
    history.replied("r", 0)
    #expect(try !isLinearizable())
  }

  @Test("what has failed is not done")
  func failed() throws {
    history.began("w", .put(1))
    history.failed("w", Lost())
    history.began("r", .get)
    history.replied("r", 1)
    #expect(try !isLinearizable())
  }

  @Test("the violation ends with the reply that nothing explains, whatever came after it")
  func culprit() throws {
    for number in 1...40 {
      history.began("\(number)", .increase)
      history.replied("\(number)", number < 20 ? number : number - 1)
    }
    let violation = try #require(
      #expect(throws: HistoryViolation.self) {
        try history.check(.linearizable(from: 0, Self.apply))
      })
    #expect(violation.message == "no order of the requests explains the reply to 20")
    #expect(violation.events.last?.hasSuffix("replied  20  19") == true)
    #expect(violation.events.count == 30)
  }

  @Test("requests with different keys have nothing to do with each other")
  func keys() throws {
    let history = History<[String], String>(on: try EventLoopGroup.shared.next())
    for key in ["a", "b"] {
      for (number, request) in [[key], [key, "1"], [key]].enumerated() {
        history.began("\(key)\(number)", request)
        history.replied("\(key)\(number)", number == 0 ? "" : "1")
      }
    }
    try history.check(
      .linearizable(from: "", per: \.[0]) { value, request in
        if request.count == 2 { value = request[1] }
        return value
      })
  }

  @Test("a history that takes too long to judge is said to be undecided")
  func undecided() throws {
    for number in 0..<30 { history.began("\(number)", .put(number)) }
    for number in 0..<30 { history.unknown("\(number)", Lost()) }
    history.began("r", .get)
    history.replied("r", 1000)
    let error = #expect(throws: HistoryUndecided.self) {
      try history.check(.linearizable(from: 0, limit: 10_000, Self.apply))
    }
    #expect(
      "\(try #require(error))".contains(
        "10000 steps are not enough for 31 requests about one key, 30 of them"))
  }

  @Test("500 requests of five clients are judged")
  func many() throws {
    var random = SeededRandom(seed: 5)
    var value = 0
    var open: [(id: String, reply: Int?)] = []
    for number in 0..<500 {
      if open.count == 5 { end(open.remove(at: .random(in: 0..<5, using: &random))) }
      let command: Command = number % 3 == 0 ? .get : .increase
      history.began("\(number)", command)
      // Every fiftieth is lost, half of them before they are done.
      let isLost = number % 50 == 49
      if !isLost || number % 100 == 99 {
        let reply = Self.apply(&value, command)
        open.append(("\(number)", isLost ? nil : reply))
      } else {
        open.append(("\(number)", nil))
      }
    }
    open.forEach(end)
    #expect(try isLinearizable(limit: 1_000_000))
  }

  private func end(_ request: (id: String, reply: Int?)) {
    if let reply = request.reply {
      history.replied(request.id, reply)
    } else {
      history.unknown(request.id, Lost())
    }
  }

  @Test("the verdict on small histories is that of trying every order", arguments: 0..<300 as Range<UInt64>)
  func everyOrder(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    var waiting: [(id: Int, command: Command)] = []
    var all: [Naive.Operation] = []
    var time = 0
    for id in 0..<5 {
      let command = [Command.get, .put(.random(in: 1...2, using: &random)), .increase].randomElement(
        using: &random)
      history.began("\(id)", command ?? .get)
      all.append(Naive.Operation(command: command ?? .get, begin: time))
      waiting.append((id, command ?? .get))
      time += 1
      while !waiting.isEmpty, Bool.random(using: &random) || id == 4 {
        let next = waiting.remove(at: .random(in: waiting.indices, using: &random))
        let reply = Int.random(in: 0...3, using: &random)
        if reply == 3 {
          history.unknown("\(next.id)", Lost())
        } else {
          history.replied("\(next.id)", reply)
          (all[next.id].reply, all[next.id].end) = (reply, time)
        }
        time += 1
      }
    }
    #expect(try isLinearizable() == Naive.explains(all, from: 0))
  }

  /// Tries every order, and every choice of what is not done.
  private enum Naive {
    struct Operation {
      let command: Command
      let begin: Int
      var reply: Int?
      var end = Int.max
    }

    static func explains(_ left: [Operation], from value: Int) -> Bool {
      if left.allSatisfy({ $0.reply == nil }) { return true }
      return left.indices.contains { index in
        let next = left[index]
        if left.contains(where: { $0.end < next.begin }) { return false }
        var rest = left
        rest.remove(at: index)
        var after = value
        let reply = LinearizabilityTests.apply(&after, next.command)
        return (next.reply == nil || next.reply == reply) && explains(rest, from: after)
      }
    }
  }
}
