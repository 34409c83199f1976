import TCPServer
import TestHarness

/// A server of echoes on the sockets that the service manager has opened (sd_listen_fds(3)), until SIGTERM.
enum Activated {
  static func run() async throws {
    let loops = try EventLoopGroup(count: 2)
    let signals = try ProcessSignals(.terminate)
    let sockets = try SocketActivation.listeners(on: loops.loops[0])
    let passed = 3..<(3 + sockets.count)
    let targets = ResourceAudit.openDescriptors().filter { passed.contains($0.number) }.map(\.target)
    let server = try TCPServer(
      listeners: sockets.map(\.listener), environment: Environment(loops: loops))
    SocketExercise.say("serving \(sockets.map(\.name).joined(separator: " "))")

    try await withThrowingDiscardingTaskGroup { group in
      group.addTask { for await _ in signals { server.beginDrain(deadline: .seconds(10)) } }
      try await server.run(framing: .lines) { connection in
        for try await line in connection.inbound { try await connection.send(line) }
      }
      group.cancelAll()
    }
    let kept = ResourceAudit.openDescriptors().filter { targets.contains($0.target) }
    try require(targets.count == sockets.count && kept.isEmpty, "it has kept \(kept) of \(targets)")
    SocketExercise.say("\(await server.drain().count(of: .finished)) finished")
    await loops.shutdown()
  }
}
