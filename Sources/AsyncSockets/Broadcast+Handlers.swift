import Framing

extension Broadcast {
  /// Makes the connection of a `ConnectionHandler` a member, until it closes or leaves. What is sent to it comes between
  /// the sends of its own; a second time changes nothing.
  ///
  /// ```swift
  /// func connected(_ context: borrowing HandlerContext<LineFraming>) { room.join(context) }
  ///
  /// func received(_ line: String, _ context: borrowing HandlerContext<LineFraming>) throws {
  ///   try room.offer(line, except: context)
  /// }
  /// ```
  ///
  /// Messages come in this broadcast's codec, whatever `HandlerContext.switchCodec(to:)` does: leave before.
  ///
  /// Among the members, in `Delivery` and in the closures that choose receivers, it is a connection that can be asked
  /// and sent to, and not read.
  public func join(_ context: borrowing HandlerContext<F>) {
    let driver = context.driver
    guard seat(of: driver) == nil else { return }
    driver.memberships.append(enter(Connection(driver.core).framed(framing), driver: driver))
  }

  /// Ends the membership of a `ConnectionHandler`; nothing happens if there is none. What is kept for it is dropped.
  public func leave(_ context: borrowing HandlerContext<F>) {
    guard let seat = seat(of: context.driver) else { return }
    context.driver.memberships.removeAll { $0 === seat }
    leave(seat)
  }

  /// Sends one message to all members but the one whose handler calls, and waits for nobody; see `offer(_:except:)`.
  @discardableResult
  public func offer(
    _ message: F.Encoder.Frame, except context: borrowing HandlerContext<F>
  ) throws(FramingError) -> Delivery<Member> {
    let core = context.driver.core
    return try offer(message, to: roll) { $0.core !== core }
  }

  private func seat(of driver: CodecDriver<F>) -> BroadcastSeat? {
    driver.memberships.first { $0.room === self }
  }
}

extension ConnectionDriver {
  /// Messages are kept for it, since its output is full.
  func awaitRoom() {
    perform { isThrottled = true }
  }
}
