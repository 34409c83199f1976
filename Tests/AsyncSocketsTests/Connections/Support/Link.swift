import AsyncSockets
import Peers
import TestHarness
import Testing

/// A connection, the blocking peer at its other end, and the clock of its loop.
struct Link: Sendable {
  let connection: Connection
  let peer: BlockingPeer
  let clock: ManualClock

  var loop: EventLoop { connection.loop }

  /// Makes a connection whose output soon has to wait: 1 MiB is far more than its kernel buffers hold.
  static let smallBuffer: Int32 = 4096
}

/// Runs `body` with a connection over each route, on its loop or off it, whose time moves by hand; and audits what
/// is left on the loop when both ends are gone.
///
/// - Parameters:
///   - hasSmallBuffers: keeps the kernel's buffers at both ends small.
func withLink(
  _ route: Route, options: ConnectionOptions = ConnectionOptions(), hasSmallBuffers: Bool = false,
  _ body: @escaping @Sendable (Link) async throws -> Void
) async throws {
  let clock = ManualClock()
  try await withAuditedLoops(clock: clock) { group in
    let loop = group.loops[0]
    let link = try await makeLink(
      route.network, on: loop, clock: clock, options: options, hasSmallBuffers: hasSmallBuffers)
    defer {
      link.connection.abort()
      link.peer.close()
    }
    try await run(route, on: loop) {
      #expect(loop.isCurrent == route.isOnLoop)
      try await body(link)
    }
  }
}

/// Runs `body` on the loop or where the caller is.
func run(
  _ route: Route, on loop: EventLoop, _ body: @escaping @Sendable () async throws -> Void
) async throws {
  guard route.isOnLoop else { return try await body() }
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask(executorPreference: loop.executor) { try await body() }
    try await group.waitForAll()
  }
}

/// Connects a peer to a connection on `loop`.
func makeLink(
  _ network: Network, on loop: EventLoop, clock: ManualClock = ManualClock(),
  options: ConnectionOptions = ConnectionOptions(), hasSmallBuffers: Bool = false
) async throws -> Link {
  let listener = try Listener.bind(to: network.freeAddress, on: loop)
  defer { listener.close() }
  let address = listener.address
  let receiveBuffer = hasSmallBuffers ? Link.smallBuffer : nil
  let peer = try await onThread { try Network.connect(to: address, receiveBuffer: receiveBuffer) }
  let connection = try await listener.accept(on: loop, options: options)
  if hasSmallBuffers { try setSendBuffer(of: connection, to: Link.smallBuffer) }
  return Link(connection: connection, peer: peer, clock: clock)
}
