import AsyncSockets

/// How long what has been cancelled may take to end before it is left behind.
package struct Grace: Sendable {
  /// Measures it: in real time, and in a simulation in that one's.
  let loop: EventLoop
  let duration: Duration

  /// Real time; tests shorten it.
  @TaskLocal package static var current = Duration.seconds(10)

  init() throws {
    if let simulated = try SimulatedHost.current?.environment.loops {
      // Where it costs nothing.
      (loop, duration) = (simulated.loops[0], Self.current * 60)
    } else {
      (loop, duration) = (try EventLoopGroup.shared.loops[0], Self.current)
    }
  }
}
