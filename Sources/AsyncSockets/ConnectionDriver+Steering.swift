import Framing
import Synchronization

// A handler's connection, steered by whoever started it: on the loop, and never by a call of the handler in place, so
// that it may be done from inside any callback.

extension ConnectionDriver {
  /// Closes in good order.
  ///
  /// - Parameter reason: why, unless something ends it before.
  package final func beginClosing(reason: CloseReason? = nil) {
    guard ending == nil else { return }
    ending = .close(reason)
    settleLater()
  }

  /// Resets the connection.
  ///
  /// - Parameter reason: why, unless something ends it before.
  package final func beginAborting(reason: CloseReason = .aborted) {
    ending = .abort
    core.abort(reason: reason)
  }

  /// Output that is still to go out has a second, from the close on or from now, and the peer's end is not waited for.
  package final func hurry() {
    isHurried = true
    guard case .flush(let writer, let deadline) = waiting else { return }
    let limited = min(deadline, core.core.now.advanced(by: Self.flushLimit))
    waiting = .flush(writer: writer, until: limited)
    due = limited
    arm()
  }

  /// Whether it has begun to end.
  package final var isEnding: Bool { ending != nil || core.isOver.load(ordering: .relaxed) }

  /// Whether it waits for nothing but the peer's bytes.
  package final var waitsForInput: Bool {
    if case .input = waiting { !isThrottled && !isPaused } else { false }
  }

  /// How many frames its handler has been given, modulo 65,536.
  package final var framesTaken: UInt16 { core.reading.contents.budget.framesTaken }

  /// Whether bytes have come since this was last asked.
  package final func takeHasRead() -> Bool {
    defer { core.reading.contents.budget.hasRead = false }
    return core.reading.contents.budget.hasRead
  }

  /// Whether its handler has sent something since this was last asked.
  package final func takeHasAnswered() -> Bool {
    defer { hasAnswered = false }
    return hasAnswered
  }

  /// Sends bytes that are frames of its codec already, if that needs no wait; `false` if it would.
  package final func offer(_ bytes: [UInt8]) throws(SocketError) -> Bool {
    let step = try core.trySend(bytes, holdsTurn: false)
    room = 0
    switch step {
    case .accepted, .acceptedAndSpent: return true
    case .acceptedAboveHighMark:
      isThrottled = true
      settleLater()
      return true
    case .mustWait: return false
    }
  }

  package final func disconnectSlowConsumer() { core.disconnectSlowConsumer() }

  /// Has it look, between two callbacks, at what was changed.
  final func settleLater() { core.core.performLater(.call { [self] in perform {} }) }
}

extension ConnectionHandler {
  /// Reactions that tell before and after each of them, and of what references ask for.
  @inlinable
  package static func reactions(
    before: @escaping @Sendable (ConnectionDriver) -> Void,
    after: @escaping @Sendable (ConnectionDriver) -> Void,
    ended: @escaping @Sendable (ConnectionDriver) -> Void
  ) -> ConnectionDriver.Reactions {
    ConnectionDriver.Reactions(
      react: { driver, occasion in
        before(driver)
        defer { after(driver) }
        let driver = unsafe unsafeDowncast(driver, to: HandlerDriver<Self>.self)
        try driver.react(to: occasion) { try driver.readFrames($0) }
      }, ended: ended, before: before, after: after)
  }

  /// What runs such a handler, which the caller has made by `driver(of:framing:number:_:)`.
  private static func own(_ driver: ConnectionDriver) -> HandlerDriver<Self> {
    unsafe unsafeDowncast(driver, to: HandlerDriver<Self>.self)
  }

  /// The handler as it is now.
  package static func state(of driver: ConnectionDriver) -> Self { own(driver).handler }

  /// Sends one frame to a driver's peer, from inside any callback or between two; see `HandlerContext.send(_:)`.
  package static func send(_ frame: Codec.Encoder.Frame, by driver: ConnectionDriver) throws {
    try own(driver).sendFromOutside(frame)
    if driver.isThrottled { driver.settleLater() }
  }

  /// Has a driver go on with another codec, between two callbacks.
  package static func switchCodec(to codec: Codec, of driver: ConnectionDriver) {
    reference(to: driver).perform { _, context in context.switchCodec(to: codec) }
  }

  /// What reaches the handler of a driver.
  package static func reference(to driver: ConnectionDriver) -> HandlerReference<Self> {
    HandlerReference(driver: own(driver))
  }
}

extension Connection.Counters {
  /// Of what was never connected.
  package static var none: Connection.Counters {
    Connection.Counters(bytesRead: 0, bytesAccepted: 0, bytesWritten: 0)
  }
}
