import AsyncSockets
import Synchronization
import TCPServer

/// A server of echoes that may be out of descriptors. At SIGUSR1 it says how often it has called accept(2), and how often
/// it was told to have paused; at SIGTERM it drains.
enum Crowded {
  /// The real kernel, whose calls of accept(2) are counted, and the pauses that follow from them.
  private final class CountingKernel: Kernel {
    let attempts = Atomic(0)
    let pauses = Atomic(0)

    func accept(_ descriptor: Int32, peer: inout SocketAddress?) -> Int {
      attempts.add(1, ordering: .relaxed)
      return LinuxKernel.shared.accept(descriptor, peer: &peer)
    }
  }

  static func run() async throws {
    let kernel = CountingKernel()
    let loop = try EventLoop(clock: MonotonicClock.shared, kernel: kernel)
    let loops = try EventLoopGroup([loop])
    let signals = try ProcessSignals(.terminate, .user1)
    var configuration = TCPServer.Configuration()
    configuration.limits.connections = nil
    configuration.onEvent = { if case .acceptPaused = $0 { kernel.pauses.add(1, ordering: .relaxed) } }
    let server = try await TCPServer.bind(
      on: .loopback(), configuration: configuration, environment: Environment(loops: loops))
    SocketExercise.say("\(server.address.port ?? 0)")

    try await withThrowingDiscardingTaskGroup { group in
      group.addTask {
        for await signal in signals {
          if signal == .terminate { server.beginDrain() }
          let pauses = kernel.pauses.load(ordering: .relaxed)
          SocketExercise.say("\(kernel.attempts.load(ordering: .relaxed)) \(pauses)")
        }
      }
      try await server.run(framing: .lines) { connection in
        for try await line in connection.inbound { try await connection.send(line) }
      }
      group.cancelAll()
    }
    await loops.shutdown()
  }
}
