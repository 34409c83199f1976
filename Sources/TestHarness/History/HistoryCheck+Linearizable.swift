extension HistoryCheck {
  /// All replies are those of a service that does one request after the other, each at one moment between its beginning
  /// and its reply (Herlihy and Wing, "Linearizability", 1990). One whose outcome is unknown may be done at any later moment
  /// or never; one that has failed is not done.
  ///
  /// ```swift
  /// // A register for each key, that is set and read.
  /// try history.check(.linearizable(from: "", per: \.key) { value, command in
  ///   switch command {
  ///   case .get: return value
  ///   case .put(_, let new): value = new; return "OK"
  ///   }
  /// })
  /// ```
  ///
  /// How long it takes grows with the number of requests at the same time, and with those that are unknown, of which any
  /// subset may have been done: twenty of either are many.
  ///
  /// - Parameters:
  ///   - initial: in which state what a key stands for is at first.
  ///   - key: what a request is about. Requests with different keys have nothing to do with each other.
  ///   - limit: how many requests it applies for each key, before it gives up with `HistoryUndecided`; a million unless set.
  ///   - apply: what a request does, and what it is answered. The same for the same state and request, always.
  public static func linearizable<State: Hashable & Sendable, Key: Hashable & Sendable>(
    from initial: State, per key: @escaping @Sendable (Request) -> Key, limit: Int = 1_000_000,
    _ apply: @escaping @Sendable (inout State, Request) -> Reply
  ) -> HistoryCheck {
    HistoryCheck("linearizable") { events in
      for events in byKey(events, key) {
        if let problem = try problem(in: events, from: initial, limit: limit, apply) { return problem }
      }
      return nil
    }
  }

  /// The same for a service whose requests all have to do with each other.
  public static func linearizable<State: Hashable & Sendable>(
    from initial: State, limit: Int = 1_000_000,
    _ apply: @escaping @Sendable (inout State, Request) -> Reply
  ) -> HistoryCheck {
    linearizable(from: initial, per: { _ in 0 }, limit: limit, apply)
  }

  /// The events that tell of requests and their ends, by key, in the order in which keys first appear.
  private static func byKey<Key: Hashable>(_ events: [Event], _ key: (Request) -> Key) -> [[Event]] {
    var places: [Key: Int] = [:]
    var ofRequest: [String: Int] = [:]
    var groups: [[Event]] = []
    for event in events {
      if case .began(let request) = event.kind {
        let place = places[key(request), default: groups.count]
        if place == groups.count {
          places[key(request)] = place
          groups.append([])
        }
        ofRequest[event.id] = place
      }
      if case .executed = event.kind { continue }
      if let place = ofRequest[event.id] { groups[place].append(event) }
    }
    return groups
  }

  private static func problem<State: Hashable>(
    in events: [Event], from initial: State, limit: Int, _ apply: @escaping (inout State, Request) -> Reply
  ) throws -> Problem? {
    func verdict(ofFirst count: Int) -> LinearizationSearch<Request, Reply, State>.Verdict {
      var search = LinearizationSearch(operations(events.prefix(count)), from: initial, apply)
      return search.run(limit: limit)
    }
    switch verdict(ofFirst: events.count) {
    case .possible: return nil
    case .undecided:
      let unknown = events.count { if case .unknown = $0.kind { true } else { false } }
      let requests = events.count { if case .began = $0.kind { true } else { false } }
      throw HistoryUndecided(
        check: "linearizable",
        reason:
          "\(limit) steps are not enough for \(requests) requests about one key, \(unknown) of them unknown; "
          + "use more keys, fewer requests at the same time, or a higher limit")
    case .impossible: break
    }
    // What explains a history explains its beginning: the shortest beginning that nothing explains ends with the culprit.
    var (explained, unexplained) = (0, events.count)
    while unexplained - explained > 1 {
      let middle = (explained + unexplained) / 2
      if case .impossible = verdict(ofFirst: middle) { unexplained = middle } else { explained = middle }
    }
    let culprit = events[unexplained - 1]
    return Problem(
      "no order of the requests explains the reply to \(culprit.id)",
      events: Array(events[..<unexplained].suffix(30)))
  }

  private static func operations<State: Hashable>(
    _ events: ArraySlice<Event>
  ) -> [LinearizationSearch<Request, Reply, State>.Operation] {
    var ends: [String: (place: Int, reply: Reply?)] = [:]
    for (place, event) in events.enumerated() where ends[event.id] == nil {
      switch event.kind {
      case .replied(let reply): ends[event.id] = (place, reply)
      case .failed: ends[event.id] = (place, nil)
      case .began, .executed, .unknown: break
      }
    }
    return events.enumerated().compactMap { place, event in
      guard case .began(let request) = event.kind else { return nil }
      guard let end = ends[event.id] else {
        return .init(request: request, reply: nil, begin: place, end: nil)
      }
      return end.reply.map { .init(request: request, reply: $0, begin: place, end: end.place) }
    }
  }
}
