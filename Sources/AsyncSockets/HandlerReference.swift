import Framing
import Synchronization

/// A way to a `ConnectionHandler` from anywhere: another connection's handler, a task, a timer.
///
/// ```swift
/// let me = context.reference(to: self)
/// rooms.join(me)                                       // and later, from elsewhere:
/// me.perform { handler, context in try context.send(handler.nick + " is here") }
/// ```
///
/// It holds the handler. One that keeps a reference to itself is never given back: drop it in `closed`.
public struct HandlerReference<Handler: ConnectionHandler>: Sendable {
  let driver: HandlerDriver<Handler>?

  /// Calls `body` on the connection's loop, between two callbacks: never before this function has returned. Not at all once
  /// the connection closes. What `body` throws ends the connection as it does when a callback throws it.
  public func perform(
    _ body: @escaping @Sendable (inout Handler, borrowing HandlerContext<Handler.Codec>) throws -> Void
  ) {
    guard let driver else { return }
    driver.core.core.performLater(
      .call { driver.perform { try body(&driver.handler, HandlerContext(driver)) } })
  }

  /// Whether the connection has ended, or has begun to; it may have by the time that the answer is looked at.
  public var isClosed: Bool { driver?.core.isOver.load(ordering: .relaxed) ?? true }
}

extension HandlerReference: Hashable {
  /// Whether both lead to the same connection.
  public static func == (left: HandlerReference, right: HandlerReference) -> Bool {
    left.driver === right.driver
  }

  /// Enters the connection's identity.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(driver.map(ObjectIdentifier.init))
  }
}
