import AsyncSockets
import Peers
import TestHarness
import Testing

/// A connection, whatever carries it, and a way to let bytes arrive on it.
struct Feed: Sendable {
  let connection: Connection
  let clock: ManualClock
  let arrive: @Sendable (_ bytes: [UInt8]) throws -> Void
  let end: @Sendable () throws -> Void

  var loop: EventLoop { connection.loop }

  func arrive(_ text: String) throws { try arrive(bytes(text)) }

  /// Lets bytes arrive one at a time, each of which is read before the next comes.
  func drip(_ bytes: [UInt8]) async throws {
    for byte in bytes {
      let before = connection.counters.bytesRead
      try arrive([byte])
      try await soon("byte is read", on: loop) { connection.counters.bytesRead == before + 1 }
    }
  }
}

/// What carries a connection, and where the code that uses it runs: sockets, and a transport in memory.
enum Medium: CaseIterable, Sendable, CustomTestStringConvertible {
  case socket(Route)
  case memory(Place)

  static let allCases = Route.allCases.map(Medium.socket) + Place.allCases.map(Medium.memory)

  var testDescription: String {
    switch self {
    case .socket(let route): route.testDescription
    case .memory(let place): "memory \(place)"
    }
  }
}

/// Runs `body` with a connection over each medium, and audits what is left.
func withFeed(_ medium: Medium, _ body: @escaping @Sendable (Feed) async throws -> Void) async throws {
  switch medium {
  case .socket(let route):
    try await withLink(route) { link in
      try await body(
        Feed(
          connection: link.connection, clock: link.clock, arrive: { try link.peer.send($0) },
          end: { try link.peer.halfClose() }))
    }
  case .memory(let place):
    let transport = ScriptedTransport()
    try await withScript(place, transport) { link in
      try await body(
        Feed(
          connection: link.connection, clock: link.clock, arrive: { transport.arrive(.bytes($0)) },
          end: { transport.arrive(.end) }))
    }
  }
}
