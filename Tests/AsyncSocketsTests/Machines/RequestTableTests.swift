import Framing
import Testing

@testable import AsyncSockets

@Suite("Who reads for those who wait for replies")
struct RequestTableTests {
  enum Event: Hashable, CustomStringConvertible {
    case begin
    /// The request that was made as the nth asks what to do.
    case ask(Int)
    case leave(Int)
    case withdraw(Int)
    case listen, stopListening
    /// Whoever reads gets the next reply, or a frame that answers nothing.
    case reply, push
    case fail

    var description: String {
      switch self {
      case .begin: "begin"
      case .ask(let n): "ask \(n)"
      case .leave(let n): "leave \(n)"
      case .withdraw(let n): "withdraw \(n)"
      case .listen: "listen"
      case .stopListening: "stopListening"
      case .reply: "reply"
      case .push: "push"
      case .fail: "fail"
      }
    }
  }

  /// The table as the tasks of a program use it, and what they should see.
  struct Program {
    typealias Table = RequestTable<Int, Never>

    enum Place: Equatable { case made, waiting, reading, done }
    enum Failure: Error { case end }

    /// Replies are 0, 1, …; other frames count down from -1.
    var table: Table
    var tokens: [Table.Token] = []
    var places: [Place] = []
    var woken: Set<Table.Waiter> = []
    var owed: [Int] = []
    var listener = Place.done
    var pushes = 0
    var kept: [Int] = []
    var hasEnded = false

    init() throws {
      table = Table(try .inOrder(atMost: 3), keepingUnsolicited: 1)
    }

    func isPossible(_ event: Event) -> Bool {
      switch event {
      case .begin: places.count < 3
      case .ask(let n): n < places.count && (places[n] == .made || places[n] == .reading || isWoken(n))
      case .leave(let n): n < places.count && places[n] != .done && places[n] != .made
      case .withdraw(let n): n < places.count && places[n] == .made && owed.last == n
      case .listen: listener != .waiting || woken.contains(.unsolicited)
      case .stopListening: listener != .done
      case .reply: !owed.isEmpty && somebodyReads
      case .push, .fail: somebodyReads
      }
    }

    private var somebodyReads: Bool { !hasEnded && (places.contains(.reading) || listener == .reading) }

    private func isWoken(_ n: Int) -> Bool { places[n] == .waiting && woken.contains(.reply(to: tokens[n])) }

    /// What is wrong after the event.
    mutating func apply(_ event: Event) throws -> String? {
      switch event {
      case .begin:
        guard let token = try? table.begin({ c throws(CorrelatorError) in try c.request() }) else {
          return hasEnded ? nil : "refused"
        }
        owed.append(tokens.count)
        tokens.append(token)
        places.append(.made)
      case .ask(let n):
        woken.remove(.reply(to: tokens[n]))
        if let problem = take(table.step(for: .reply(to: tokens[n])), n) { return problem }
      case .leave(let n):
        if let frame = table.leave(.reply(to: tokens[n])), frame != n { return "left with \(frame)" }
        places[n] = .done
      case .withdraw(let n):
        table.withdraw(tokens[n])
        places[n] = .done
        owed.removeLast()
      case .listen:
        if listener == .done { try table.beginListening() }
        woken.remove(.unsolicited)
        switch table.step(for: .unsolicited) {
        case .take(let frame):
          if kept.isEmpty || frame != kept.removeFirst() { return "heard \(frame)" }
          stopListening()
        case .read: listener = .reading
        case .wait: listener = .waiting
        case .fail: stopListening()
        }
      case .stopListening:
        if let frame = table.leave(.unsolicited), kept.isEmpty || frame != kept.removeFirst() {
          return "heard \(frame)"
        }
        stopListening()
      case .reply:
        let number = owed.removeFirst()
        guard table.deliver(number, { $0.reply() }) else { return "nobody took reply \(number)" }
      case .push:
        pushes += 1
        let isTaken = table.deliver(-pushes) { _ in .unsolicited }
        if isTaken != kept.isEmpty { return "\(isTaken ? "took" : "refused") \(-pushes)" }
        if isTaken {
          kept.append(-pushes)
        } else {
          table.fail(Failure.end)
          hasEnded = true
        }
      case .fail:
        table.fail(Failure.end)
        hasEnded = true
      }
      woken.formUnion(table.takeWoken())
      return invariants()
    }

    private mutating func stopListening() {
      table.endListening()
      woken.remove(.unsolicited)
      listener = .done
    }

    private mutating func take(_ step: Table.Step, _ n: Int) -> String? {
      switch step {
      case .take(let frame):
        places[n] = .done
        return frame == n ? nil : "request \(n) got reply \(frame)"
      case .read: places[n] = .reading
      case .wait: places[n] = .waiting
      case .fail:
        places[n] = .done
        return hasEnded ? nil : "failed"
      }
      return nil
    }

    /// One at most reads; and whenever somebody waits, somebody reads, or is about to.
    private func invariants() -> String? {
      let readers = places.filter { $0 == .reading }.count + (listener == .reading ? 1 : 0)
      if readers > 1 { return "\(readers) read" }
      let asleep =
        places.indices.filter { places[$0] == .waiting && !isWoken($0) }.count
        + (listener == .waiting && !woken.contains(.unsolicited) ? 1 : 0)
      let aboutToAsk =
        places.contains(.made) || places.indices.contains(where: isWoken)
        || (listener == .waiting && woken.contains(.unsolicited))
      if asleep > 0, hasEnded { return "asleep after the end" }
      return asleep > 0 && readers == 0 && !aboutToAsk ? "\(asleep) wait, and nobody reads" : nil
    }
  }

  @Test("in every order of seven events each gets its own reply, and nobody waits while nobody reads")
  func exhaustive() throws {
    let events: [Event] =
      [.begin, .reply, .listen, .stopListening, .push, .fail]
      + (0..<3).flatMap { [.ask($0), .leave($0), .withdraw($0)] }
    var sequences = 0
    func explore(_ program: Program, _ depth: Int, _ path: [Event]) throws {
      sequences += 1
      guard depth > 0 else { return }
      for event in events where program.isPossible(event) {
        var next = program
        if let problem = try next.apply(event) {
          Issue.record("\(problem) after \(path + [event])")
          return
        }
        try explore(next, depth - 1, path + [event])
      }
    }
    try explore(try Program(), 7, [])
    #expect(sequences > 10_000)
  }

  @Test("when the connection fails all who wait are woken in the order in which they asked, in every run")
  func orderOfFailure() throws {
    var table = RequestTable<Int, Never>(try .inOrder(atMost: 20), keepingUnsolicited: 0)
    let waiters = try (0..<20).map { _ in
      RequestTable<Int, Never>.Waiter.reply(
        to: try table.begin({ c throws(CorrelatorError) in try c.request() }))
    }
    for waiter in waiters { _ = table.step(for: waiter) }
    table.fail(CancellationError())
    // The first one reads, and is not asleep.
    let woken = table.takeWoken()
    #expect(woken == Array(waiters.dropFirst()))
  }
}
