extension TCPClient {
  /// A session of frames, whose replies, if it makes requests, come in the order of these.
  ///
  /// - Parameters:
  ///   - framing: the codec.
  ///   - limit: how many requests may be without a reply, those that were cancelled included; at least 1. One too many
  ///     fails with `CorrelatorError.tooManyRequests`.
  ///   - policy: what becomes of sends while there is no connection; they fail by default.
  ///   - heartbeat: what to send now and then to see whether the server is still there; nothing by default.
  ///   - opening: called with each new connection. What it sends goes out before anything that waits, so this is the place
  ///     to log in and to subscribe again. It may take `Configuration.connectTimeout`.
  public func session<F: Framing>(
    framing: F, atMost limit: Int = 1_024, whileDisconnected policy: GapPolicy = .fail,
    heartbeat: Heartbeat<F.Encoder.Frame>? = nil, opening: Session<F, Never>.Opening? = nil
  ) -> Session<F, Never> {
    Session(
      self, framing, policy, heartbeat, opening: opening,
      checkLimits: { () throws(FramingError) in _ = try Correlator.inOrder(atMost: limit) }
    ) { connection throws(FramingError) in
      try connection.requests(atMost: limit)
    }
  }

  /// A session of requests and replies that carry the same id, and come in any order.
  ///
  /// - Parameters:
  ///   - framing: the codec.
  ///   - requestID: the id of a request; no other that has no reply yet may have the same.
  ///   - replyID: the id of the request that a frame answers; `nil` if it answers none.
  ///   - limit: how many requests may be without a reply, those that were cancelled included; at least 1.
  ///   - kept: how many frames that answer no request are kept for the closure of `run`, which takes them by `inbound` or
  ///     `next`; 100 by default. One that comes when so many wait ends the connection and the run with
  ///     `CorrelatorError.unsolicited`. `run()` without a closure takes and drops them all.
  ///   - policy: what becomes of sends while there is no connection; they fail by default.
  ///   - heartbeat: what to send now and then to see whether the server is still there; nothing by default.
  ///   - opening: called with each new connection. What it sends goes out before anything that waits, so this is the place
  ///     to log in and to subscribe again. It may take `Configuration.connectTimeout`.
  public func session<F: Framing, ID: Hashable & Sendable>(
    framing: F, id requestID: @escaping @Sendable (F.Encoder.Frame) -> ID,
    replyID: @escaping @Sendable (F.Decoder.Frame) -> ID?,
    atMost limit: Int = 1_024, keepingUnsolicited kept: Int = 100,
    whileDisconnected policy: GapPolicy = .fail, heartbeat: Heartbeat<F.Encoder.Frame>? = nil,
    opening: Session<F, ID>.Opening? = nil
  ) -> Session<F, ID> {
    Session(
      self, framing, policy, heartbeat, opening: opening,
      checkLimits: { () throws(FramingError) in try Self.check(ID.self, limit, kept) }
    ) { connection throws(FramingError) in
      try connection.requests(id: requestID, replyID: replyID, atMost: limit, keepingUnsolicited: kept)
    }
  }

  /// A session of requests and replies that carry the same id, and come in any order, where both are frames of one type.
  ///
  /// - Parameters:
  ///   - framing: the codec.
  ///   - id: the id in a frame; `nil` if it is neither a request nor a reply.
  ///   - limit: how many requests may be without a reply, those that were cancelled included; at least 1.
  ///   - kept: how many frames that answer no request are kept for the closure of `run`; see
  ///     ``session(framing:id:replyID:atMost:keepingUnsolicited:whileDisconnected:heartbeat:opening:)``.
  ///   - policy: what becomes of sends while there is no connection; they fail by default.
  ///   - heartbeat: what to send now and then to see whether the server is still there; nothing by default.
  ///   - opening: called with each new connection, before anything that waits goes out.
  public func session<F: Framing, ID: Hashable & Sendable>(
    framing: F, id: @escaping @Sendable (F.Decoder.Frame) -> ID?,
    atMost limit: Int = 1_024, keepingUnsolicited kept: Int = 100,
    whileDisconnected policy: GapPolicy = .fail, heartbeat: Heartbeat<F.Encoder.Frame>? = nil,
    opening: Session<F, ID>.Opening? = nil
  ) -> Session<F, ID> where F.Encoder.Frame == F.Decoder.Frame {
    Session(
      self, framing, policy, heartbeat, opening: opening,
      checkLimits: { () throws(FramingError) in try Self.check(ID.self, limit, kept) }
    ) { connection throws(FramingError) in
      try connection.requests(id: id, atMost: limit, keepingUnsolicited: kept)
    }
  }

  private static func check<ID: Hashable & Sendable>(_ id: ID.Type, _ limit: Int, _ kept: Int)
    throws(FramingError)
  {
    _ = try Correlator<ID>.byID(atMost: limit)
    if kept < 0 { throw .invalidConfiguration("\(kept) unsolicited frames can't be kept; keep at least 0") }
  }
}
