public import Framing

extension FramedConnection {
  /// Sends a request and waits for its reply, where replies come in the order of the requests.
  ///
  /// ```swift
  /// let greeting = try await connection.request("HELLO")
  /// async let one = connection.request("GET one")
  /// async let two = connection.request("GET two")
  /// ```
  ///
  /// Any number of tasks may do so at the same time, with at most 1,024 requests that have no reply. Nothing else may
  /// read from the connection meanwhile, nor may requests of another kind (`requests`) be under way. Cancelled before it is sent, nothing is sent; cancelled afterwards, its reply
  /// is dropped when it comes, and shifts nobody else's.
  ///
  /// - Parameters:
  ///   - frame: the request.
  ///   - deadline: when to give up, as if cancelled.
  /// - Throws: as ``RequestConnection/request(_:deadline:)``.
  public func request(_ frame: OutboundFrame, deadline: Deadline = .never) async throws -> InboundFrame {
    let exchange = inOrder.withLock { exchange in
      let current = exchange ?? RequestExchange(.inOrder, .inOrder(), for: core)
      exchange = current
      return current
    }
    return try await exchange.request(frame, on: self, deadline: deadline)
  }

  /// Requests whose replies come in their order, with a limit of one's own.
  ///
  /// - Parameter limit: how many requests may be without a reply, those that were cancelled included; at least 1.
  /// - Throws: `FramingError.invalidConfiguration`.
  public func requests(atMost limit: Int = 1_024) throws(FramingError) -> RequestConnection<F, Never> {
    let correlator = try Correlator.inOrder(atMost: limit)
    return RequestConnection(connection: self, exchange: RequestExchange(.inOrder, correlator, for: core))
  }

  /// Requests whose replies carry the id of their request, and come in any order.
  ///
  /// - Parameters:
  ///   - requestID: the id of a request; no other that has no reply yet may have the same.
  ///   - replyID: the id of the request that a frame answers; `nil` if it answers none.
  ///   - limit: how many requests may be without a reply, those that were cancelled included; at least 1.
  ///   - kept: how many frames that answer no request are kept for `next` and `inbound` of the result. A frame beyond
  ///     them is an error that ends all requests, by default the first that comes while nobody waits for one.
  /// - Throws: `FramingError.invalidConfiguration`.
  public func requests<ID: Hashable & Sendable>(
    id requestID: @escaping @Sendable (OutboundFrame) -> ID,
    replyID: @escaping @Sendable (InboundFrame) -> ID?,
    atMost limit: Int = 1_024, keepingUnsolicited kept: Int = 0
  ) throws(FramingError) -> RequestConnection<F, ID> {
    try byID(requestID, replyID, limit, kept)
  }

  /// Requests whose replies carry the id of their request, and come in any order, where both are frames of one type.
  ///
  /// ```swift
  /// let requests = try connection.requests(id: \.id)
  /// let answer = try await requests.request(Message(id: 7, text: "what?"))
  /// ```
  ///
  /// - Parameters:
  ///   - id: the id in a frame; `nil` if it is neither a request nor a reply.
  ///   - limit: how many requests may be without a reply, those that were cancelled included; at least 1.
  ///   - kept: how many frames that answer no request are kept for `next` and `inbound` of the result. A frame beyond
  ///     them is an error that ends all requests, by default the first that comes while nobody waits for one.
  /// - Throws: `FramingError.invalidConfiguration`.
  public func requests<ID: Hashable & Sendable>(
    id: @escaping @Sendable (InboundFrame) -> ID?,
    atMost limit: Int = 1_024, keepingUnsolicited kept: Int = 0
  ) throws(FramingError) -> RequestConnection<F, ID> where OutboundFrame == InboundFrame {
    try byID(id, id, limit, kept)
  }

  private func byID<ID: Hashable & Sendable>(
    _ requestID: @escaping @Sendable (OutboundFrame) -> ID?,
    _ replyID: @escaping @Sendable (InboundFrame) -> ID?, _ limit: Int, _ kept: Int
  ) throws(FramingError) -> RequestConnection<F, ID> {
    guard kept >= 0 else {
      throw .invalidConfiguration("\(kept) unsolicited frames can't be kept; keep at least 0")
    }
    let rules = RequestExchange<F, ID>.Rules(
      begin: { frame throws(CorrelatorError) in
        guard let id = requestID(frame) else { throw .noID }
        return { correlator throws(CorrelatorError) in try correlator.request(id: id) }
      },
      match: { frame in
        guard let id = replyID(frame) else { return { _ in .unsolicited } }
        return { $0.reply(id: id) }
      })
    let correlator = try Correlator<ID>.byID(atMost: limit)
    let exchange = RequestExchange(rules, correlator, keepingUnsolicited: kept, for: core)
    return RequestConnection(connection: self, exchange: exchange)
  }
}
