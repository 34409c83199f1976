import Framing

extension Connection {
  /// Has a handler run this connection, and waits for its end.
  ///
  /// - Parameters:
  ///   - handler: its state at the beginning.
  ///   - framing: what cuts the stream into frames.
  /// - Returns: the handler as its last callback left it.
  /// - Throws: `SocketError.busy` while a task reads. A cancelled task ends the connection as leaving a scope by an error
  ///   does, and waits for that. However it ends, that is no error: it stands in `closeReason`.
  @inlinable
  public func run<Handler: ConnectionHandler>(
    _ handler: Handler, framing: Handler.Codec
  ) async throws(SocketError) -> Handler {
    let end = DriverEnd()
    let driver = try HandlerDriver(
      core, handler, framing, Handler.reactions { _ in end.open() })
    await end.wait(for: driver)
    return driver.handler
  }

  /// Has a handler of bytes run this connection, and waits for its end; see the general form.
  @inlinable
  public func run<Handler: ByteHandler>(
    _ handler: Handler, framing: RawFraming
  ) async throws(SocketError) -> Handler {
    let end = DriverEnd()
    let driver = try HandlerDriver(
      core, handler, framing, Handler.reactions { _ in end.open() })
    await end.wait(for: driver)
    return driver.handler
  }
}

/// The end of a connection that a driver runs, as a task waits for it.
@usableFromInline
final class DriverEnd: Sendable {
  private let latch = Latch()

  @usableFromInline init() {}

  @usableFromInline
  func open() { latch.open() }

  @usableFromInline
  func wait(for driver: ConnectionDriver) async {
    driver.start()
    if case .cancelled = await latch.wait(on: driver.core.loop) {
      driver.core.wakeOwner()
      _ = await latch.wait(on: driver.core.loop, isCancellable: false)
    }
  }
}
