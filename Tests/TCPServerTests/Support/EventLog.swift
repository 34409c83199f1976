import AsyncSockets
import TCPServer
import TestHarness

/// What a server told of itself, in order.
final class EventLog: Sendable {
  private let storage = Lock<[TCPServer.Event]>([])

  /// Without the start, and without the long turns, which a busy machine brings about at any time.
  var events: [TCPServer.Event] {
    all.filter { if case .longTurn = $0 { false } else if case .started = $0 { false } else { true } }
  }

  var longTurns: [EventLoop.LongTurn] {
    all.compactMap { if case .longTurn(let turn) = $0 { turn } else { nil } }
  }

  private var all: [TCPServer.Event] { storage.withLock { $0 } }

  func record(_ event: TCPServer.Event) { storage.withLock { $0.append(event) } }

  /// A configuration whose events come here.
  func configuration(
    _ change: (inout TCPServer.Configuration) -> Void = { _ in }
  ) -> TCPServer.Configuration {
    var configuration = TCPServer.Configuration()
    configuration.onEvent = { [self] in record($0) }
    change(&configuration)
    return configuration
  }

  /// The ports of the peers that were accepted, in order.
  var accepted: [UInt16?] {
    events.compactMap { event -> UInt16?? in
      if case .accepted(let peer) = event { peer.address?.port } else { nil }
    }
  }

  /// Why connections ended, in order.
  var reasons: [CloseReason] {
    events.compactMap { if case .closed(_, let reason, _) = $0 { reason } else { nil } }
  }

  /// Why the connection of the peer with that port ended; more than one would be a fault.
  func reasons(of port: UInt16) -> [CloseReason] {
    events.compactMap {
      if case .closed(let peer, let reason, _) = $0, peer.address?.port == port { reason } else { nil }
    }
  }

  /// Whom the server did not serve, and why, in order.
  var refusals: [String] {
    events.compactMap { if case .refused(_, let cause) = $0 { "\(cause)" } else { nil } }
  }

  /// The limits that were reached, in order.
  var limits: [TCPServer.Limit] {
    events.compactMap { if case .limit(let limit, _) = $0 { limit } else { nil } }
  }

  /// What handlers threw, as text.
  var failures: [String] {
    events.compactMap { if case .handlerFailed(_, let error) = $0 { "\(error)" } else { nil } }
  }

  /// What ended listeners.
  var listenerFailures: [SocketError] {
    events.compactMap { if case .listenerFailed(let error) = $0 { error } else { nil } }
  }

  /// Pauses and resumptions of accepting, in order.
  var pauses: [String] {
    events.compactMap {
      switch $0 {
      case .acceptPaused: "paused"
      case .acceptResumed: "resumed"
      default: nil
      }
    }
  }

  /// Waits until so many connections have ended.
  func untilClosed(_ count: Int) async throws {
    try await eventually("\(count) connections have ended, not \(reasons)") { reasons.count >= count }
  }
}
