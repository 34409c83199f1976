/// Something that must hold of a history: one of those below, or your own.
///
/// ```swift
/// let noEmptyReplies = HistoryCheck<String, String>("noEmptyReplies") { events in
///   let empty = events.filter { if case .replied("") = $0.kind { true } else { false } }
///   return empty.isEmpty ? nil : .init("\(empty.count) replies are empty", events: empty)
/// }
/// try history.check(noEmptyReplies, .oneOutcome)
/// ```
public struct HistoryCheck<Request: Sendable, Reply: Equatable & Sendable>: Sendable {
  /// What happened to a request.
  public typealias Event = HistoryEvent<Request, Reply>

  /// What is wrong with a history.
  public struct Problem: Sendable {
    /// In words.
    public let message: String
    /// Those events that show it, in order.
    public let events: [Event]

    /// What is wrong, and the events that show it.
    public init(_ message: String, events: [Event]) {
      self.message = message
      self.events = events
    }
  }

  /// What the report calls it.
  public let name: String
  let problem: @Sendable ([Event]) throws -> Problem?

  /// A check that is given all events, in order, and finds a problem or `nil`.
  public init(_ name: String, problem: @escaping @Sendable ([Event]) throws -> Problem?) {
    self.name = name
    self.problem = problem
  }

  /// A check of each request by itself, which is given its events and answers what is wrong.
  init(ofEachRequest name: String, _ fault: @escaping @Sendable ([Event]) -> String?) {
    self.init(name) { events in
      for (id, events) in Self.byRequest(events) {
        if let fault = fault(events) { return Problem("request \(id) \(fault)", events: events) }
      }
      return nil
    }
  }

  /// The events of each request, in the order in which requests first appear.
  static func byRequest(_ events: [Event]) -> [(id: String, events: [Event])] {
    var places: [String: Int] = [:]
    var requests: [(id: String, events: [Event])] = []
    for event in events {
      if let place = places[event.id] {
        requests[place].events.append(event)
      } else {
        places[event.id] = requests.count
        requests.append((event.id, [event]))
      }
    }
    return requests
  }
}

// MARK: - What holds of any service

extension HistoryCheck {
  /// All checks that need to know nothing of the service.
  public static var general: [HistoryCheck] {
    [
      .oneOutcome, .nothingAfterUnknown, .answeredAtMostOnce, .executedAtMostOnce, .acknowledgedMeansExecuted,
      .failedMeansNotExecuted, .inOrder,
    ]
  }

  /// A request begins once, and ends once: with a reply, with an error, or unknown.
  public static var oneOutcome: HistoryCheck {
    HistoryCheck(ofEachRequest: "oneOutcome") { events in
      let begins = events.count { if case .began = $0.kind { true } else { false } }
      let outcomes = events.count { $0.isOutcome }
      switch (begins, outcomes) {
      case (1, 1): return nil
      case (0, _): return "has never begun"
      case (1, 0): return "has no outcome"
      case (1, _): return "has \(outcomes) outcomes"
      default: return "has begun \(begins) times"
      }
    }
  }

  /// After its client has given a request up as unknown, it gets no reply to it.
  public static var nothingAfterUnknown: HistoryCheck {
    HistoryCheck(ofEachRequest: "nothingAfterUnknown") { events in
      var isUnknown = false
      for event in events {
        if case .unknown = event.kind { isUnknown = true }
        if case .replied = event.kind, isUnknown { return "got a reply after it was unknown" }
      }
      return nil
    }
  }

  /// A request has one reply, or none.
  public static var answeredAtMostOnce: HistoryCheck {
    HistoryCheck(ofEachRequest: "answeredAtMostOnce") { events in
      let replies = events.count { if case .replied = $0.kind { true } else { false } }
      return replies > 1 ? "was answered \(replies) times" : nil
    }
  }

  /// A request takes effect once, or never, however often it was sent; and never before it was.
  public static var executedAtMostOnce: HistoryCheck {
    HistoryCheck(ofEachRequest: "executedAtMostOnce") { events in
      let executions = events.count { if case .executed = $0.kind { true } else { false } }
      if executions > 1 { return "was executed \(executions) times" }
      if case .executed? = events.first?.kind { return "was executed before it began" }
      return nil
    }
  }

  /// The same for a service of several replicas, each of which does what is asked: each of them does it once, or never.
  public static var executedAtMostOncePerHost: HistoryCheck {
    HistoryCheck(ofEachRequest: "executedAtMostOncePerHost") { events in
      var hosts: Set<String?> = []
      for event in events {
        guard case .executed = event.kind, !hosts.insert(event.host).inserted else { continue }
        return "was executed twice" + (event.host.map { " on \($0)" } ?? "")
      }
      return nil
    }
  }

  /// Who has a reply has it from a server that had done what was asked, and the reply is what that server answered.
  public static var acknowledgedMeansExecuted: HistoryCheck {
    HistoryCheck(ofEachRequest: "acknowledgedMeansExecuted") { events in
      var answers: [Reply?] = []
      for event in events {
        switch event.kind {
        case .executed(let answer): answers.append(answer)
        case .replied(let reply):
          if answers.isEmpty { return "got a reply before anybody had executed it" }
          if !answers.contains(where: { $0 == nil || $0 == reply }) {
            return "got a reply that is not its own"
          }
        case .began, .failed, .unknown: break
        }
      }
      return nil
    }
  }

  /// What has failed for its client is executed by nobody.
  public static var failedMeansNotExecuted: HistoryCheck {
    HistoryCheck(ofEachRequest: "failedMeansNotExecuted") { events in
      let hasFailed = events.contains { if case .failed = $0.kind { true } else { false } }
      let isExecuted = events.contains { if case .executed = $0.kind { true } else { false } }
      return hasFailed && isExecuted ? "has failed, and was executed all the same" : nil
    }
  }

  private struct Lane: Hashable {
    let verb: String
    let connection: String
    /// Of each replica, which executes all for itself.
    let host: String?
  }

  /// Requests over one connection are executed, by each host, and answered, in the order in which they began. Those for
  /// which no connection was named, neither where they began nor where they were executed, are in any order.
  public static var inOrder: HistoryCheck {
    HistoryCheck("inOrder") { events in
      var places: [String: (connection: String?, place: Int)] = [:]
      var last: [Lane: (place: Int, event: Event)] = [:]
      var begins: [String: Event] = [:]
      for (index, event) in events.enumerated() {
        if case .began = event.kind {
          places[event.id] = (event.connection, index)
          begins[event.id] = event
          continue
        }
        switch event.kind {
        case .executed, .replied: break
        case .began, .failed, .unknown: continue
        }
        guard let (asked, place) = places[event.id], let connection = event.connection ?? asked else {
          continue
        }
        let verb = event.words.verb
        let lane = Lane(
          verb: verb, connection: connection, host: verb == "executed" ? event.host : nil)
        if let before = last[lane], before.place > place {
          return Problem(
            "request \(event.id) was \(verb == "replied" ? "answered" : "executed") after "
              + "\(before.event.id), which began later on \(connection)",
            events: [begins[event.id], begins[before.event.id]].compactMap(\.self) + [before.event, event])
        }
        last[lane] = (place, event)
      }
      return nil
    }
  }
}
