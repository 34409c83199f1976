extension TCPClient {
  /// A conversation with a server that outlives its connections: for those who send from elsewhere, and do not care which
  /// connection it is.
  ///
  /// ```swift
  /// let client = TCPClient(to: "feed.example", port: 7000)
  /// let feed = client.session(framing: .lines, whileDisconnected: .wait) { connection in
  ///   try await connection.send("SUBSCRIBE news")
  /// }
  /// try await withThrowingDiscardingTaskGroup { group in
  ///   group.addTask {
  ///     try await feed.run { connection in
  ///       for try await line in connection.inbound { print(line) }
  ///     }
  ///   }
  ///   try await feed.send("PUBLISH it rains")
  /// }
  /// ```
  ///
  /// It works while `run` does. What it sends goes over the connection that stands, once that has been opened; while none
  /// does, its `GapPolicy` decides. A session of requests by id is made by
  /// ``TCPClient/session(framing:id:replyID:atMost:keepingUnsolicited:whileDisconnected:heartbeat:opening:)``.
  public final class Session<F: Framing, ID: Hashable & Sendable>: Sendable {
    /// What connects.
    public let client: TCPClient

    let framing: F
    let policy: GapPolicy
    let heartbeat: Heartbeat<F.Encoder.Frame>?
    let opening: Opening?
    let checkLimits: @Sendable () throws(FramingError) -> Void
    let makeRequests: @Sendable (FramedConnection<F>) throws(FramingError) -> RequestConnection<F, ID>
    private let state: Lock<State>

    /// What is done with each connection first.
    public typealias Opening = @Sendable (RequestConnection<F, ID>) async throws -> Void

    typealias Gate = SessionGate<RequestConnection<F, ID>, F.Encoder.Frame>

    private struct State {
      var gate: Gate
      var changed = Latch()
    }

    init(
      _ client: TCPClient, _ framing: F, _ policy: GapPolicy, _ heartbeat: Heartbeat<F.Encoder.Frame>?,
      opening: Opening?, checkLimits: @escaping @Sendable () throws(FramingError) -> Void = {},
      _ makeRequests:
        @escaping @Sendable (FramedConnection<F>) throws(FramingError) -> RequestConnection<F, ID>
    ) {
      self.client = client
      self.opening = opening
      self.checkLimits = checkLimits
      self.framing = framing
      self.policy = policy
      self.heartbeat = heartbeat
      self.makeRequests = makeRequests
      state = Lock(State(gate: Gate(policy)))
    }

    /// Whether there is a connection to send on.
    public var isConnected: Bool { state.withLock { $0.gate.isUp } }

    /// The frames that wait for a connection, the oldest first; once the client has ended, those that were never sent.
    public var queued: [F.Encoder.Frame] { state.withLock { $0.gate.queued } }

    /// Asks the gate, or tells it something that others wait for.
    func ask<Answer>(_ question: (inout Gate) -> Answer) -> Answer { state.withLock { question(&$0.gate) } }

    func change<Answer>(_ change: (inout Gate) -> Answer) -> Answer {
      let (answer, changed) = state.withLock { state in
        defer { state.changed = Latch() }
        return (change(&state.gate), state.changed)
      }
      changed.open()
      return answer
    }

    /// The same as `ask`, and the latch that the next change opens.
    func askAndWatch<Answer>(_ question: (inout Gate) -> Answer) -> (Answer, Latch) {
      state.withLock { (question(&$0.gate), $0.changed) }
    }
  }

  /// A session of frames, whose replies, if it makes requests, come in the order of these.
  ///
  /// - Parameters:
  ///   - framing: the codec.
  ///   - policy: what becomes of sends while there is no connection; they fail by default.
  ///   - heartbeat: what to send now and then to see whether the server is still there; nothing by default.
  ///   - opening: called with each new connection. What it sends goes out before anything that waits, so this is the place
  ///     to log in and to subscribe again. It may take `Configuration.connectTimeout`.
  public func session<F: Framing>(
    framing: F, whileDisconnected policy: GapPolicy = .fail,
    heartbeat: Heartbeat<F.Encoder.Frame>? = nil, opening: Session<F, Never>.Opening? = nil
  ) -> Session<F, Never> {
    Session(self, framing, policy, heartbeat, opening: opening) { connection throws(FramingError) in
      try connection.requests()
    }
  }

  /// A session of requests and replies that carry the same id, and come in any order.
  ///
  /// - Parameters:
  ///   - framing: the codec.
  ///   - requestID: the id of a request; no other that has no reply yet may have the same.
  ///   - replyID: the id of the request that a frame answers; `nil` if it answers none.
  ///   - limit: how many requests may be without a reply, those that were cancelled included; at least 1.
  ///   - kept: how many frames that answer no request are kept for who asks for them; see
  ///     `FramedConnection.requests(id:replyID:atMost:keepingUnsolicited:)`.
  ///   - policy: what becomes of sends while there is no connection; they fail by default.
  ///   - heartbeat: what to send now and then to see whether the server is still there; nothing by default.
  ///   - opening: called with each new connection. What it sends goes out before anything that waits, so this is the place
  ///     to log in and to subscribe again. It may take `Configuration.connectTimeout`.
  public func session<F: Framing, ID: Hashable & Sendable>(
    framing: F, id requestID: @escaping @Sendable (F.Encoder.Frame) -> ID,
    replyID: @escaping @Sendable (F.Decoder.Frame) -> ID?,
    atMost limit: Int = 1_024, keepingUnsolicited kept: Int = 0,
    whileDisconnected policy: GapPolicy = .fail, heartbeat: Heartbeat<F.Encoder.Frame>? = nil,
    opening: Session<F, ID>.Opening? = nil
  ) -> Session<F, ID> {
    Session(
      self, framing, policy, heartbeat, opening: opening,
      checkLimits: { () throws(FramingError) in
        _ = try Correlator<ID>.byID(atMost: limit)
        if kept < 0 {
          throw .invalidConfiguration("\(kept) unsolicited frames can't be kept; keep at least 0")
        }
      }
    ) { connection throws(FramingError) in
      try connection.requests(id: requestID, replyID: replyID, atMost: limit, keepingUnsolicited: kept)
    }
  }
}
