import AsyncSockets

/// A door in a handler that a test opens.
package final class Door: Sendable {
  private let latch = Latch()

  package init() {}

  package func open() { latch.open() }

  /// Waits until the door is open.
  package func pass(on loop: EventLoop) async throws {
    if case .cancelled = await latch.wait(on: loop) { throw CancellationError() }
  }
}
