import AsyncSockets
import Peers
import TestHarness

/// Two connections to be relayed, and the blocking peers at their other ends.
struct RelayLink: Sendable {
  let client: Link
  let server: Link

  var loop: EventLoop { client.loop }
  var clock: ManualClock { client.clock }

  func run() async throws -> RelayReport { try await relay(client.connection, server.connection) }
}

/// Runs `body` with two connections over each route, on their loop or off it, and audits what is left.
func withRelay(
  _ route: Route, options: ConnectionOptions = ConnectionOptions(), hasSmallBuffers: Bool = false,
  loops: Int = 1, _ body: @escaping @Sendable (RelayLink) async throws -> Void
) async throws {
  let clock = ManualClock()
  try await withAuditedLoops(count: loops, clock: clock) { group in
    let client = try await makeLink(
      route.network, on: group.loops[0], clock: clock, options: options, hasSmallBuffers: hasSmallBuffers)
    let server = try await makeLink(
      route.network, on: group.loops[loops - 1], clock: clock, options: options,
      hasSmallBuffers: hasSmallBuffers)
    defer {
      for link in [client, server] {
        link.connection.abort()
        link.peer.close()
      }
    }
    try await AsyncSocketsTests.run(route, on: group.loops[0]) {
      try await body(RelayLink(client: client, server: server))
    }
  }
}

extension RelayReport.Ending {
  var isReset: Bool { if case .failed(let error) = self { error.isReset } else { false } }

  var tellsOfPeerGone: Bool { if case .failed(let error) = self { error.tellsOfPeerGone } else { false } }
}
