import AsyncSockets
import Framing
import TCPServer
import TestHarness
import Testing

@Suite("A history") struct HistoryTests {
  private struct Oops: Error, CustomStringConvertible { let description = "oops" }

  private func history() throws -> History<String, String> {
    History(on: try EventLoopGroup.shared.next(), failing: { $0 is Oops })
  }

  private func violation(
    of check: HistoryCheck<String, String>, _ record: (History<String, String>) -> Void
  ) throws -> HistoryViolation {
    let history = try history()
    record(history)
    return try #require(#expect(throws: HistoryViolation.self) { try history.check(check) })
  }

  @Test("that is as it should be passes every check")
  func good() throws {
    let history = try history()
    history.began("1", "a", connection: "c")
    history.began("2", "b", connection: "c")
    history.executed("1", reply: "A")
    history.executed("2")
    history.replied("1", "A")
    history.began("3", "c")
    history.unknown("2", Oops())
    history.executed("3", reply: "C")
    history.unknown("3", Oops())
    history.began("4", "d")
    history.failed("4", Oops())
    try history.check()
  }

  @Test("of replicas is in order where each of them executes all in order, and only there")
  func replicasInOrder() async throws {
    let orders = [["1", "2"], ["2", "1"]]
    for order in orders {
      try await withSimulation(seed: 1) { world in
        let history = History<String, String>(in: world)
        history.began("1", "a", connection: "c")
        history.began("2", "b", connection: "c")
        await world.host("a").run { for id in ["1", "2"] { history.executed(id) } }
        await world.host("b").run { for id in order { history.executed(id) } }
        if order == orders[0] {
          try history.check(.inOrder)
        } else {
          #expect(throws: HistoryViolation.self) { try history.check(.inOrder) }
        }
      }
    }
  }

  @Test("is out of order, too, where only the server names the connection")
  func connectionOfTheServer() throws {
    let violation = try violation(of: .inOrder) {
      $0.began("1", "a")
      $0.began("2", "b")
      $0.executed("2", connection: "c")
      $0.executed("1", connection: "c")
    }
    #expect(violation.message == "request 1 was executed after 2, which began later on c")
  }

  @Test("finds a request that ends twice, never ends, begins twice or never begins")
  func outcomes() throws {
    let recordings: [(String, (History<String, String>) -> Void)] = [
      (
        "has 2 outcomes",
        {
          $0.began("7", "a"); $0.replied("7", "A"); $0.failed("7", Oops())
        }
      ),
      (
        "has no outcome",
        {
          $0.began("7", "a"); $0.executed("7")
        }
      ),
      (
        "has begun 2 times",
        {
          $0.began("7", "a"); $0.began("7", "a"); $0.replied("7", "A")
        }
      ),
      ("has never begun", { $0.replied("7", "A") }),
    ]
    for (message, record) in recordings {
      #expect(try violation(of: .oneOutcome, record).message == "request 7 \(message)")
    }
  }

  @Test("finds a reply to a request that was unknown")
  func afterUnknown() throws {
    let violation = try violation(of: .nothingAfterUnknown) {
      $0.began("1", "a")
      $0.unknown("1", Oops())
      $0.replied("1", "A")
    }
    #expect(violation.events.count == 3)
  }

  @Test("finds a request that is answered or executed twice, or executed before it began")
  func twice() throws {
    let answered = try violation(of: .answeredAtMostOnce) {
      $0.began("1", "a")
      $0.replied("1", "A")
      $0.replied("1", "A")
    }
    #expect(answered.message == "request 1 was answered 2 times")
    let executed = try violation(of: .executedAtMostOnce) {
      $0.began("1", "a")
      $0.executed("1")
      $0.executed("1")
    }
    #expect(executed.message == "request 1 was executed 2 times")
    #expect(try violation(of: .executedAtMostOnce) { $0.executed("1") }.message.contains("before it began"))
  }

  @Test("of replicas may have each of them do what is asked, once")
  func replicas() async throws {
    try await withSimulation { world in
      let history = History<String, String>(in: world)
      history.began("1", "a")
      for name in ["a", "b"] { await world.host(name).run { history.executed("1") } }
      try history.check(.executedAtMostOncePerHost)
      await world.host("b").run { history.executed("1") }
      let violation = #expect(throws: HistoryViolation.self) { try history.check(.executedAtMostOncePerHost) }
      #expect(violation?.message == "request 1 was executed twice on b")
    }
  }

  @Test("finds a reply that nobody gave, and one that is another request's")
  func acknowledged() throws {
    let invented = try violation(of: .acknowledgedMeansExecuted) {
      $0.began("1", "a")
      $0.replied("1", "A")
    }
    #expect(invented.message == "request 1 got a reply before anybody had executed it")
    let confused = try violation(of: .acknowledgedMeansExecuted) {
      $0.began("1", "a")
      $0.executed("1", reply: "A")
      $0.replied("1", "B")
    }
    #expect(confused.message == "request 1 got a reply that is not its own")
  }

  @Test("finds that something was done which had failed")
  func failed() throws {
    let violation = try violation(of: .failedMeansNotExecuted) {
      $0.began("1", "a")
      $0.failed("1", Oops())
      $0.executed("1")
    }
    #expect(violation.events.last?.hasSuffix("executed  1") == true)
  }

  @Test(
    "finds requests of one connection that are executed or answered out of order, and lets others overtake")
  func order() throws {
    let executed = try violation(of: .inOrder) {
      for id in ["1", "2"] { $0.began(id, "a", connection: "c") }
      for id in ["2", "1"] { $0.executed(id) }
    }
    #expect(executed.message == "request 1 was executed after 2, which began later on c")
    #expect(executed.events.count == 4)
    let answered = try violation(of: .inOrder) {
      for id in ["1", "2"] { $0.began(id, "a", connection: "c") }
      for id in ["1", "2"] { $0.executed(id) }
      for id in ["2", "1"] { $0.replied(id, "A") }
    }
    #expect(answered.message.hasPrefix("request 1 was answered after 2"))
    let history = try history()
    for (id, connection) in [("1", "c"), ("2", "d"), ("3", nil)] {
      history.began(id, "a", connection: connection)
    }
    for id in ["3", "2", "1"] { history.executed(id) }
    try history.check(.inOrder)
  }

  @Test("is checked as a user wants it, too")
  func own() throws {
    let noEmptyReplies = HistoryCheck<String, String>("noEmptyReplies") { events in
      let empty = events.filter { if case .replied("") = $0.kind { true } else { false } }
      return empty.isEmpty ? nil : .init("\(empty.count) replies are empty", events: empty)
    }
    let violation = try violation(of: noEmptyReplies) {
      $0.began("1", "a")
      $0.replied("1", "")
    }
    #expect("\(violation)".hasPrefix("the history violates noEmptyReplies: 1 replies are empty\n  0.0"))
  }

  @Test("records the outcome of a request by itself: a reply, a failure that it knows, or unknown")
  func wrapper() async throws {
    let history = try history()
    let reply = try await history.request("a") { id in "\(id)!" }
    #expect(reply == "1!")
    await #expect(throws: Oops.self) { _ = try await history.request("b") { _ in throw Oops() } }
    await #expect(throws: CancellationError.self) {
      _ = try await history.request("c", id: "mine") { _ in throw CancellationError() }
    }
    let kinds = history.events.map { event in
      switch event.kind {
      case .began(let request): "began \(event.id) \(request)"
      case .executed: "executed"
      case .replied(let reply): "replied \(event.id) \(reply)"
      case .failed: "failed \(event.id)"
      case .unknown: "unknown \(event.id)"
      }
    }
    #expect(
      kinds == ["began 1 a", "replied 1 1!", "began 2 b", "failed 2", "began mine c", "unknown mine"])
  }

  @Test("of a simulation shows what happened on which host and when, and stands in the trace")
  func report() async throws {
    let failure = try await #require(
      #expect(throws: SimulationFailure.self) {
        try await withSimulation(seed: 4) { world in try await Self.shop(world) }
      })
    let violation = try #require(failure.underlying as? HistoryViolation)
    #expect(violation.message == "request 1 was executed 2 times")
    #expect(violation.events.count == 4)
    let verbs = ["began", "executed", "executed", "replied"]
    for (line, (verb, host)) in zip(violation.events, zip(verbs, ["buyer", "shop", "shop", "buyer"])) {
      #expect(line.contains(" s  \(host.padding(5))  \(verb.padding(8))  1"), "\(line)")
    }
    #expect(failure.trace.contains { $0.contains("began 1: buy") })
    let again = await #expect(throws: SimulationFailure.self) {
      try await withSimulation(seed: 4) { world in try await Self.shop(world) }
    }
    #expect(again?.description == failure.description)
  }

  /// A shop that sells once more whenever it is asked again, and a buyer that asks until it is answered.
  @Sendable private static func shop(_ world: SimulatedWorld) async throws {
    let history = History<String, String>(in: world)
    let shop = world.host("shop")
    let server = try await shop.run { try await TCPServer.bind(on: .any(port: 7)) }
    shop.start {
      try await server.run(framing: .lines) { connection in
        for try await id in connection.inbound {
          history.executed(id, reply: "sold")
          try await connection.send("sold")
        }
      }
    }
    try await world.host("buyer").run {
      _ = try await history.request("buy") { id in
        for _ in 0..<2 {
          try await Connector().withConnection(to: "shop", port: 7) { connection in
            _ = try await connection.framed(.lines).request(id)
          }
        }
        return "sold"
      }
    }
    try history.check()
  }
}

extension String {
  fileprivate func padding(_ width: Int) -> String { self + String(repeating: " ", count: width - count) }
}
