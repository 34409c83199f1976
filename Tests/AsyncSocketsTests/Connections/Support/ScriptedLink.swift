import AsyncSockets
import TestHarness
import Testing

/// Where a test of the transport seam runs.
enum Place: CaseIterable, Sendable {
  case onLoop, offLoop
}

/// A connection over a scripted transport.
struct ScriptedLink: Sendable {
  let connection: Connection
  let transport: ScriptedTransport
  let clock: ManualClock

  var loop: EventLoop { connection.loop }
}

/// Runs `body` with a connection over a scripted transport, and audits what is left.
func withScript(
  _ place: Place, _ transport: ScriptedTransport = ScriptedTransport(),
  options: ConnectionOptions = ConnectionOptions(),
  _ body: @escaping @Sendable (ScriptedLink) async throws -> Void
) async throws {
  let clock = ManualClock()
  try await withAuditedLoops(clock: clock) { group in
    let loop = group.loops[0]
    let connection = try Connection(over: transport, on: loop, options: options)
    defer { connection.abort() }
    try await run(Route(network: .ipv4, isOnLoop: place == .onLoop), on: loop) {
      try await body(ScriptedLink(connection: connection, transport: transport, clock: clock))
    }
  }
  let record = transport.record
  #expect(record.closes.count == 1)
  #expect(record.illegalCalls == 0)
}

extension ConnectionOptions {
  /// Options with watermarks of a test's own.
  static func marks(high: Int, low: Int) throws -> ConnectionOptions {
    var options = ConnectionOptions()
    options.watermarks = try Watermarks(high: high, low: low)
    return options
  }

  static func idle(_ limit: Duration) -> ConnectionOptions { .limits { $0.idle = limit } }

  /// Options with limits of a test's own.
  static func limits(_ change: (inout ConnectionLimits) -> Void) -> ConnectionOptions {
    var options = ConnectionOptions()
    change(&options.limits)
    return options
  }
}
