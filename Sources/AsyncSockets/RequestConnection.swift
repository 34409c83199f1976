public import Framing

/// A connection whose frames are requests and replies; made by ``FramedConnection/requests(id:atMost:keepingUnsolicited:)``
/// and its like.
///
/// Any number of tasks may request at the same time: their frames go out one after another, and each gets its own
/// reply. Whichever of them has waited longest reads for all. Nothing else may read from the connection meanwhile.
public struct RequestConnection<F: Framing, ID: Hashable & Sendable>: Sendable {
  /// The connection underneath.
  public let connection: FramedConnection<F>
  let exchange: RequestExchange<F, ID>

  /// Sends a request and waits for its reply.
  ///
  /// Cancelled before it is sent, nothing is sent; cancelled afterwards, its reply is dropped when it comes, and shifts
  /// nobody else's.
  ///
  /// - Parameters:
  ///   - frame: the request.
  ///   - deadline: when to give up, as if cancelled.
  /// - Throws: `CorrelatorError` for a request too many or with an id in use, and when the stream ends before the
  ///   reply; `FramingError.unencodable` also for a frame of which the encoder makes no bytes (one that a `filter`
  ///   leaves out), since no reply would come; what ended the connection, for everybody who waits, as
  ///   `FramedConnection.next` and `send` do;
  ///   `SocketError.timedOut`; `CancellationError`.
  public func request(
    _ frame: F.Encoder.Frame, deadline: Deadline = .never
  ) async throws -> F.Decoder.Frame {
    try await exchange.request(frame, on: connection, deadline: deadline)
  }

  /// The same, which also tells whether the request has been accepted for sending.
  package func request(
    _ frame: F.Encoder.Frame, deadline: Deadline, wasSent: inout Bool
  ) async throws -> F.Decoder.Frame {
    try await exchange.request(frame, on: connection, deadline: deadline, wasSent: &wasSent)
  }

  /// Has frames that answer no request dropped from now on where there is no room for them, instead of ending all
  /// requests; `notice` is called for each.
  package func dropUnsolicited(_ notice: @escaping @Sendable () -> Void) { exchange.dropUnsolicited(notice) }

  /// Sends a frame that will have no reply; see `FramedConnection.send(_:)`.
  public func send(_ frame: F.Encoder.Frame) async throws { try await connection.send(frame) }

  /// The next frame that answers no request, such as a notification.
  ///
  /// - Parameter deadline: when to give up.
  /// - Returns: the frame; `nil` at the end of the stream.
  /// - Throws: as `FramedConnection.next`; `SocketError.busy` while another task waits for such frames.
  public func next(deadline: Deadline = .never) async throws -> F.Decoder.Frame? {
    try await exchange.next(on: connection, deadline: deadline)
  }

  /// The frames that answer no request, as a sequence that ends with the peer's stream.
  public var inbound: Inbound { Inbound(requests: self) }

  /// The frames that answer no request.
  public struct Inbound: AsyncSequence, Sendable {
    let requests: RequestConnection

    /// An iterator; two that are used at the same time are told `SocketError.busy`.
    public func makeAsyncIterator() -> Iterator { Iterator(requests: requests) }

    /// Takes one frame at a time.
    public struct Iterator: AsyncIteratorProtocol {
      let requests: RequestConnection

      /// The next frame, or `nil` at the end.
      public mutating func next(
        isolation actor: (any Actor)? = #isolation
      ) async throws(any Error) -> F.Decoder.Frame? {
        try await requests.next()
      }
    }
  }
}
