import Glibc
import ServerArguments
import Synchronization
import TCPServer

/// An echo on two event loops. After SIGUSR1 it prints how many connections each has had.
struct TwoLoops {
  private let loops: EventLoopGroup
  private let arguments: ServerArguments
  private let counts = Counts()

  init(_ arguments: ServerArguments) throws {
    self.arguments = arguments
    loops = try EventLoopGroup(count: 2)
  }

  func serve() async throws {
    let signals = try ProcessSignals(.user1)
    let servers = try await bind()
    arguments.announce(port: Int(servers[0].address.port ?? 0))
    try await withThrowingDiscardingTaskGroup { group in
      for server in servers {
        group.addTask {
          try await server.run { connection in
            counts.add(isFirst: connection.loop === loops.loops[0])
            for try await chunk in connection.inbound {
              try await connection.send(chunk)
            }
          }
        }
      }
      for await _ in signals { counts.tell() }
    }
  }

  /// One server with both loops, or one on each.
  private func bind() async throws -> [TCPServer] {
    let address = SocketAddress.loopback(port: UInt16(arguments.port))
    guard arguments.mode == .chunkReusePort else {
      return [try await TCPServer.bind(on: address, environment: Environment(loops: loops))]
    }
    var configuration = TCPServer.Configuration()
    configuration.connection.socketOptions = [.reusePort()]
    let first = try await TCPServer.bind(
      on: address, configuration: configuration,
      environment: Environment(loops: EventLoopGroup([loops.loops[0]])))
    let second = try await TCPServer.bind(
      on: first.address, configuration: configuration,
      environment: Environment(loops: EventLoopGroup([loops.loops[1]])))
    return [first, second]
  }
}

/// Connections by loop.
private final class Counts: Sendable {
  private let first = Atomic(0)
  private let second = Atomic(0)

  func add(isFirst: Bool) {
    if isFirst { first.add(1, ordering: .relaxed) } else { second.add(1, ordering: .relaxed) }
  }

  func tell() {
    print("loops \(first.load(ordering: .relaxed)) \(second.load(ordering: .relaxed))")
    fflush(nil)
  }
}
