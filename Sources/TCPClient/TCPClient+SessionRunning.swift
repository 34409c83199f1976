extension TCPClient.Session {
  /// Keeps the session connected, as `TCPClient.run(framing:_:)` does, and enters `body` with each connection.
  ///
  /// Each connection is opened before: what the session's `opening` throws is thrown by `body`, as it were.
  ///
  /// - Parameter body: reads what answers no request. Nothing else may read from the connection; its `inbound` and
  ///   `request` share it with those of the session.
  /// - Throws: as `TCPClient.run(framing:_:)`; `FramingError` for limits that cannot work, and for a heartbeat that
  ///   cannot be encoded.
  public func run(_ body: (RequestConnection<F, ID>) async throws -> Void) async throws {
    try await run(prepare: { _ in }, body)
  }

  /// - Parameter prepare: called with each connection before it is opened.
  private func run(
    prepare: (RequestConnection<F, ID>) -> Void, _ body: (RequestConnection<F, ID>) async throws -> Void
  ) async throws {
    let conversation = Conversation(
      isFramed: true,
      validate: { [self] in try validate() },
      began: { [self] in change { $0.begin() } },
      disconnected: { [self] in change { $0.disconnected() } },
      ended: { [self] ending in change { $0.end(ending) } })
    do {
      try await converse(conversation, prepare, body)
    } catch {
      change { $0.refuse(error) }
      throw error
    }
  }

  private func converse(
    _ conversation: Conversation, _ prepare: (RequestConnection<F, ID>) -> Void,
    _ body: (RequestConnection<F, ID>) async throws -> Void
  ) async throws {
    try await client.reconnect(
      conversation,
      again: { connection in
        let requests = try makeRequests(client.framed(connection, framing))
        prepare(requests)
        try await open(requests)
        let number = change { $0.connected(requests) }
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { await self.sendQueued(on: requests, number) }
          if let heartbeat = self.heartbeat {
            group.addTask { await self.beat(heartbeat, on: requests) }
          }
          defer { group.cancelAll() }
          try await body(requests)
        }
      })
  }

  /// Keeps the session connected for those who send and request; frames that answer no request are dropped, and counted
  /// (`droppedCount`).
  ///
  /// - Throws: as `run(_:)`.
  public func run() async throws {
    // From the first frame on: an opening may be answered among many that answer nothing.
    try await run(prepare: { $0.dropUnsolicited { self.noteDropped() } }) { connection in
      for try await _ in connection.inbound { noteDropped() }
    }
  }

  private func open(_ requests: RequestConnection<F, ID>) async throws {
    guard let opening else { return }
    let limit = client.configuration.connectTimeout.map { Deadline.after($0) } ?? .never
    try await withDeadline(limit, on: requests.connection.loop, operation: "opening of a session") {
      try await opening(requests)
    }
  }

  private func validate() throws {
    try policy.validate()
    try checkLimits()
    guard let heartbeat else { return }
    try heartbeat.validate()
    var (encoder, bytes) = (framing.makeEncoder(), [UInt8]())
    try encoder.encode(heartbeat.frame, into: &bytes)
  }

  private func sendQueued(on requests: RequestConnection<F, ID>, _ number: Int) async {
    // Nobody else can go on before the last of them is out.
    defer { change { _ in } }
    while let frame = ask({ $0.nextQueued(on: number) }) {
      do {
        try await requests.send(frame)
      } catch is FramingError {
        // It could be encoded when it was queued; an encoder with a memory may see that otherwise by now.
      } catch {
        return
      }
      ask { $0.removeFirstQueued() }
    }
  }

  private func beat(
    _ heartbeat: TCPClient.Heartbeat<F.Encoder.Frame>, on requests: RequestConnection<F, ID>
  ) async {
    let connection = requests.connection.connection
    let loop = connection.loop
    var watch = SilenceWatch(
      interval: heartbeat.interval, silence: heartbeat.silence, now: loop.now,
      arrived: connection.arrivedInput)
    while !Task.isCancelled {
      switch watch.look(at: loop.now, arrived: connection.arrivedInput) {
      case .wait(let time): if (try? await loop.sleep(until: time)) == nil { return }
      case .beat where heartbeat.isRequest:
        // Not beyond the moment at which the server counts as dead.
        let due = min(loop.now.advanced(by: heartbeat.interval), watch.limit)
        _ = try? await requests.request(heartbeat.frame, deadline: .at(due))
      // One that would have to wait tells nobody anything.
      case .beat: _ = try? requests.connection.offer(heartbeat.frame)
      case .dead(let silence):
        let peer = connection.peerAddress.map(\.description) ?? "the peer"
        let operation = "heartbeat: nothing came from \(peer) for \(silence.briefly)"
        return connection.end(with: .timedOut(operation: operation), reason: .timedOut)
      }
    }
  }
}
