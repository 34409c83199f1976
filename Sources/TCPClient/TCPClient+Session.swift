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
      var droppedCount = 0
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

    /// How many frames that answered no request `run()` has dropped so far.
    public var droppedCount: Int { state.withLock { $0.droppedCount } }

    func noteDropped() { state.withLock { $0.droppedCount += 1 } }

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
}
