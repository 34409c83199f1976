import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

@Suite("A handler that waits", .timeLimit(.minutes(2)))
struct HandlerWaitingTests {
  /// Makes what `handler` asks for from elsewhere, by its reference, possible.
  private final class Box: Sendable {
    let reference = Lock<HandlerReference<ScriptedHandler>?>(nil)
    let task = Lock<Task<ScriptedHandler, any Error>?>(nil)
  }

  private func handler(_ box: Box) -> ScriptedHandler {
    var handler = ScriptedHandler()
    handler.connected = { handler, context in
      let reference = context.reference(to: handler)
      box.reference.withLock { $0 = reference }
    }
    return handler
  }

  @Test("gets what has arrived and was no frame when its codec is exchanged from elsewhere")
  func switching() async throws {
    let box = Box()
    try await withHandler(.first, handler(box)) { link, log in
      try link.peer.send("a|b|")
      try await eventually("all is there") { link.connection.counters.bytesRead == 4 }
      box.reference.withLock { $0 }?.perform { _, context in context.switchCodec(to: try LineFraming("|")) }
      try await log.wait(for: "b")
      #expect(log.lines == ["connected", "a", "b"])
      link.peer.close()
    }
  }

  @Test("is not idle while it is paused from elsewhere, and is once it goes on")
  func pausing() async throws {
    let box = Box()
    var options = ConnectionOptions()
    options.limits.idle = .seconds(5)
    try await withHandler(.first, handler(box), options: options) { link, log in
      try link.peer.send("one\n")
      try await log.wait(for: "one")
      box.reference.withLock { $0 }?.perform { handler, context in
        context.isReading = false
        handler.log.add("paused")
      }
      try await log.wait(for: "paused")
      link.clock.advance(by: .seconds(60))
      for _ in 0..<4 { await link.loop.nextTurn() }
      #expect(link.connection.closeReason == nil)
      box.reference.withLock { $0 }?.perform { handler, context in
        context.isReading = true
        handler.log.add("goes on")
      }
      try await log.wait(for: "goes on")
      link.clock.advance(by: .seconds(60))
      try await log.wait(for: "closed: limit: idle")
    }
  }

  @Test("ends when its task is cancelled inside a callback, though its peer says nothing more")
  func cancelledInside() async throws {
    let box = Box()
    var handler = handler(box)
    handler.received = { _, _, _ in box.task.withLock { $0 }?.cancel() }
    try await withLink(.first) { [handler] link in
      let connection = link.connection
      let task = Task { try await connection.run(handler, framing: LineFraming()) }
      box.task.withLock { $0 = task }
      try link.peer.send("cancel\n")
      let last = try await task.value
      #expect(last.log.lines == ["connected", "cancel", "closed: cancelled"])
      box.task.withLock { $0 = nil }
    }
  }

  @Test("for a close of somebody else's ends with it, though it is cancelled meanwhile")
  func closedAndCancelled() async throws {
    let box = Box()
    let handler = handler(box)
    try await withLink(.first) { link in
      let connection = link.connection
      let task = Task { try await connection.run(handler, framing: LineFraming()) }
      try await handler.log.wait(for: "connected")
      async let closing: Void = connection.close()
      try await onThread { _ = try link.peer.receiveToEnd() }
      task.cancel()
      for _ in 0..<8 { await link.loop.nextTurn() }
      link.peer.close()
      await closing
      let last = try await task.value
      #expect(last.log.lines == ["connected", "closed: closed by this side"])
    }
  }

  @Test("for deadlines that have passed already leaves the loop to others")
  func deadlines() async throws {
    let box = Box()
    var handler = handler(box)
    handler.timedOut = { handler, context in context.setDeadline(.after(.zero)) }
    handler.received = { _, _, context in context.setDeadline(.after(.zero)) }
    try await withHandler(.first, handler) { link, log in
      try link.peer.send("go\n")
      try await log.wait(for: "timed out")
      for _ in 0..<20 { await link.loop.nextTurn() }
      link.connection.abort()
    }
  }
}
