import AsyncSockets
import TestHarness
import TestSupport

/// A kernel that answers `accept` as a test says, and everything else as the real one does.
final class ScriptedKernel: Kernel {
  private struct Script {
    var errors: [Int32] = []
    var standing: Int32?
    var attempts = 0
  }

  private let script = Shared(Script())

  /// How often `accept` was called.
  var attempts: Int { script.value.attempts }

  /// The next calls fail with these, one after the other.
  func failNext(_ errors: [Int32]) { script.change { $0.errors = errors } }

  /// Every call fails with this until it is `nil` again.
  func fail(_ error: Int32?) { script.change { $0.standing = error } }

  func accept(_ descriptor: Int32, peer: inout SocketAddress?) -> Int {
    let error = script.change { script -> Int32? in
      script.attempts += 1
      if let standing = script.standing { return standing }
      return script.errors.isEmpty ? nil : script.errors.removeFirst()
    }
    if let error { return -Int(error) }
    return LinuxKernel.shared.accept(descriptor, peer: &peer)
  }
}

/// Runs `body` with a loop of its own on that kernel as the environment, and sees that it holds nothing afterwards.
func withLoop<Result>(
  on kernel: ScriptedKernel, clock: any LoopClock = MonotonicClock.shared,
  _ body: (EventLoop) async throws -> Result
) async throws -> Result {
  let loop = try EventLoop(clock: clock, kernel: kernel)
  let group = try EventLoopGroup([loop])
  let result: Result
  do {
    result = try await Environment.$current.withValue(Environment(loops: group)) { try await body(loop) }
    try await eventually("the loop holds nothing: \(loop.census)") {
      loop.census.registrations == 0 && loop.census.deadlines == 0 && loop.census.abandonedConnections == 0
    }
  } catch {
    await group.shutdown()
    throw error
  }
  await group.shutdown()
  return result
}
