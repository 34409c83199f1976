public import Framing

/// A connection's behaviour as a state machine: the event loop calls it in place, with no task and no lock.
///
/// ```swift
/// struct Shout: ConnectionHandler {
///   mutating func received(_ line: String, _ context: borrowing HandlerContext<LineFraming>) throws {
///     try context.send(line.uppercased())
///   }
/// }
/// ```
///
/// For services that want every microsecond, and for thousands of connections in little memory. A task that loops over
/// `inbound` reads better, and can wait for anything; a handler can wait only for its connection. Each connection has
/// a value of its own, which holds what it has to remember. All callbacks of a connection come on its loop, one after
/// the other, and must return quickly: everybody else on the loop waits.
///
/// What a callback throws ends that one connection, as it ends that of a task: output that is queued goes out for at
/// most a second, and the `CloseReason` tells the error.
public protocol ConnectionHandler: Sendable {
  /// What cuts the stream into frames.
  associatedtype Codec: Framing

  /// The connection stands. Does nothing by default.
  mutating func connected(_ context: borrowing HandlerContext<Codec>) throws

  /// A frame has arrived.
  mutating func received(_ frame: Codec.Decoder.Frame, _ context: borrowing HandlerContext<Codec>) throws

  /// Output had reached its high mark, for which nothing more was read; it has fallen to the low mark, and reading goes on
  /// after this callback. Does nothing by default.
  mutating func writable(_ context: borrowing HandlerContext<Codec>) throws

  /// The peer has ended its stream, or the server drains and all that had arrived before has been received. Closes by
  /// default; without, the connection stays open for sending.
  mutating func endOfInput(_ context: borrowing HandlerContext<Codec>) throws

  /// The context's deadline has come. Closes by default, for the reason `CloseReason.timedOut`.
  mutating func timedOut(_ context: borrowing HandlerContext<Codec>) throws

  /// The connection is gone; the last callback, once for every connection. Does nothing by default.
  mutating func closed(_ reason: CloseReason)
}

extension ConnectionHandler {
  /// Does nothing.
  @inlinable
  public mutating func connected(_ context: borrowing HandlerContext<Codec>) throws {}

  /// Does nothing.
  @inlinable
  public mutating func writable(_ context: borrowing HandlerContext<Codec>) throws {}

  /// Closes.
  @inlinable
  public mutating func endOfInput(_ context: borrowing HandlerContext<Codec>) throws { context.close() }

  /// Closes, for the reason `CloseReason.timedOut`.
  @inlinable
  public mutating func timedOut(_ context: borrowing HandlerContext<Codec>) throws {
    context.close(reason: .timedOut)
  }

  /// Does nothing.
  @inlinable
  public mutating func closed(_ reason: CloseReason) {}
}
