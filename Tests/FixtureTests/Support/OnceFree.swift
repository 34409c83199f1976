import AsyncSockets

/// Runs the body until its address can be bound: a child that another test has just forked may have a copy of a plain
/// socket that was closed on it.
func onceFree(_ body: () async throws -> Void) async throws {
  for attempt in 1... {
    do {
      return try await body()
    } catch SocketError.failed(_, call: "bind", _) where attempt < 1000 {
      try await EventLoopGroup.shared.loops[0].sleep(for: .milliseconds(2))
    }
  }
}
