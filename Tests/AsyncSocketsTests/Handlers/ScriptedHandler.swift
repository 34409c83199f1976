import AsyncSockets
import Framing
import TestHarness
import Testing

/// A handler of lines whose callbacks are written down and may be given something to do.
struct ScriptedHandler: ConnectionHandler {
  typealias Context = HandlerContext<LineFraming>
  typealias Reaction = @Sendable (inout ScriptedHandler, borrowing Context) throws -> Void

  let log = Log()
  /// For the script's own use.
  var count = 0
  var connected: Reaction?
  var received: (@Sendable (inout ScriptedHandler, String, borrowing Context) throws -> Void)?
  var writable: Reaction?
  var endOfInput: Reaction?
  var timedOut: Reaction?

  mutating func connected(_ context: borrowing Context) throws {
    log.add("connected")
    try connected?(&self, context)
  }

  mutating func received(_ line: String, _ context: borrowing Context) throws {
    log.add(line)
    try received?(&self, line, context)
  }

  mutating func writable(_ context: borrowing Context) throws {
    log.add("writable")
    try writable?(&self, context)
  }

  mutating func endOfInput(_ context: borrowing Context) throws {
    log.add("end of input")
    if let endOfInput { try endOfInput(&self, context) } else { context.close() }
  }

  mutating func timedOut(_ context: borrowing Context) throws {
    log.add("timed out")
    if let timedOut { try timedOut(&self, context) } else { context.close() }
  }

  mutating func closed(_ reason: CloseReason) { log.add("closed: \(reason)") }

  /// What happened, in order.
  final class Log: Sendable {
    private let storage = Lock<[String]>([])

    var lines: [String] { storage.withLock { $0 } }

    func add(_ line: String) { storage.withLock { $0.append(line) } }

    func wait(for line: String) async throws {
      try await eventually("\(line) happens, not only \(lines)") { lines.contains(line) }
    }
  }
}

/// Echoes lines.
extension ScriptedHandler {
  static var echo: ScriptedHandler {
    var handler = ScriptedHandler()
    handler.received = { _, line, context in try context.send(line) }
    return handler
  }
}

/// Runs a handler on a connection over each route, beside a body that plays the peer and ends it.
func withHandler(
  _ route: Route, _ handler: ScriptedHandler, options: ConnectionOptions = ConnectionOptions(),
  hasSmallBuffers: Bool = false, _ body: @escaping @Sendable (Link, ScriptedHandler.Log) async throws -> Void
) async throws {
  try await withLink(route, options: options, hasSmallBuffers: hasSmallBuffers) { link in
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        let last = try await link.connection.run(handler, framing: LineFraming())
        #expect(last.log.lines.last?.hasPrefix("closed: ") == true)
        #expect(last.log.lines.count { $0.hasPrefix("closed: ") } == 1)
      }
      do { try await body(link, handler.log) } catch {
        link.connection.abort()
        throw error
      }
      try await group.waitForAll()
    }
  }
}
