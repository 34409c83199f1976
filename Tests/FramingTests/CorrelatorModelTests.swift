import Framing
import TestSupport
import Testing

@Suite("The correlator, against a plain model")
struct CorrelatorModelTests {
  enum Event {
    case request(Int)
    case reply(Int)
    /// The request made so many before the newest.
    case cancel(Int)
    case withdraw(Int)
    case end
  }

  /// A correlator and a list, which must agree whatever happens.
  struct Pair<ID: Hashable & Sendable> {
    var correlator: Correlator<ID>
    let request: (inout Correlator<ID>, Int) throws -> Correlator<ID>.Token
    let reply: (inout Correlator<ID>, Int) -> Correlator<ID>.Match
    let isInOrder: Bool

    var made: [Correlator<ID>.Token] = []
    var owed: [(token: Correlator<ID>.Token, id: Int, isCancelled: Bool)] = []
    var settled: Set<Correlator<ID>.Token> = []
    var hasEnded = false

    /// What went wrong, if anything.
    mutating func apply(_ event: Event) -> String? {
      switch event {
      case .request(let id):
        let isRefused =
          hasEnded || owed.count == correlator.limit || (!isInOrder && owed.contains { $0.id == id })
        guard let token = try? request(&correlator, id) else { return isRefused ? nil : "refused" }
        if isRefused { return "not refused" }
        if made.contains(token) { return "a token twice" }
        made.append(token)
        owed.append((token, id, false))
      case .reply(let id):
        let match = reply(&correlator, id)
        guard let index = isInOrder ? owed.indices.first : owed.firstIndex(where: { $0.id == id }) else {
          return match == .unsolicited ? nil : "\(match) of no request"
        }
        let entry = owed.remove(at: index)
        if match != (entry.isCancelled ? .cancelled : .reply(to: entry.token)) { return "\(match)" }
        if !entry.isCancelled { return settle(entry.token) }
      case .cancel(let age):
        guard let token = token(age) else { return nil }
        let index = owed.firstIndex { $0.token == token && !$0.isCancelled }
        if correlator.cancel(token) != (index != nil) { return "cancel" }
        guard let index else { return nil }
        owed[index].isCancelled = true
        return settle(token)
      case .withdraw(let age):
        guard let token = token(age) else { return nil }
        let entry = owed.first { $0.token == token }
        owed.removeAll { $0.token == token }
        let isWaiting = entry.map { !$0.isCancelled } ?? false
        if correlator.withdraw(token) != isWaiting { return "withdraw" }
        return isWaiting ? settle(token) : nil
      case .end:
        let waiting = owed.filter { !$0.isCancelled }.map(\.token)
        owed = []
        hasEnded = true
        if correlator.end() != waiting { return "end" }
        return waiting.compactMap { settle($0) }.first
      }
      return nil
    }

    func invariants() -> String? {
      if correlator.outstanding != owed.count { return "\(correlator.outstanding) outstanding" }
      if correlator.oldestWaiting != owed.first(where: { !$0.isCancelled })?.token { return "oldest waiting" }
      return nil
    }

    private func token(_ age: Int) -> Correlator<ID>.Token? {
      made.dropLast(age).last
    }

    private mutating func settle(_ token: Correlator<ID>.Token) -> String? {
      settled.insert(token).inserted ? nil : "settled twice"
    }
  }

  private func inOrder(atMost limit: Int) throws -> Pair<Never> {
    Pair(
      correlator: try .inOrder(atMost: limit), request: { correlator, _ in try correlator.request() },
      reply: { correlator, _ in correlator.reply() }, isInOrder: true)
  }

  private func byID(atMost limit: Int) throws -> Pair<Int> {
    Pair(
      correlator: try .byID(atMost: limit), request: { try $0.request(id: $1) }, reply: { $0.reply(id: $1) },
      isInOrder: false)
  }

  @Test("every sequence of six events in order, and of five by id, goes as the model says")
  func exhaustive() throws {
    var sequences = 0
    func explore<ID>(_ pair: Pair<ID>, _ events: [Event], _ depth: Int, _ path: [Event] = []) {
      guard depth > 0 else { return sequences += 1 }
      for event in events {
        var next = pair
        if let problem = next.apply(event) ?? next.invariants() {
          Issue.record("\(problem) after \(path + [event])")
          return
        }
        explore(next, events, depth - 1, path + [event])
      }
    }
    let common: [Event] = [.cancel(0), .cancel(1), .withdraw(0), .withdraw(1), .end]
    explore(try inOrder(atMost: 2), [.request(0), .reply(0), .cancel(0), .cancel(1), .withdraw(1), .end], 6)
    explore(try byID(atMost: 2), [.request(0), .request(1), .request(2), .reply(0), .reply(1)] + common, 5)
    #expect(sequences == 46_656 + 100_000)
  }

  @Test("long random sequences go as the model says", arguments: 1...8 as ClosedRange<UInt64>)
  func random(seed: UInt64) throws {
    func run<ID>(_ start: Pair<ID>) {
      var numbers = SeededGenerator(seed: seed)
      var pair = start
      for step in 0..<1_500 {
        let id = Int.random(in: 0..<12, using: &numbers)
        let age = Int.random(in: 0..<12, using: &numbers)
        let event: Event =
          switch Int.random(in: 0..<12, using: &numbers) {
          case 0..<6: .request(id)
          case 6..<9: .reply(id)
          case 9, 10: .cancel(age)
          default: .withdraw(age)
          }
        if let problem = pair.apply(event) ?? pair.invariants() {
          Issue.record("\(problem) of \(event) at step \(step), seed \(seed)")
          return
        }
      }
      #expect(pair.apply(.end) == nil && pair.invariants() == nil)
      #expect(pair.settled.isSubset(of: pair.made))
    }
    run(try inOrder(atMost: 8))
    run(try byID(atMost: 8))
  }
}
