import AsyncSockets
import TestHarness

/// What connections and connects come to when the network goes away under them. Runs in a network of its own, whose
/// loopback interface somebody takes down at the word "ready".
enum Stranded {
  static func run() async throws {
    try await withAuditedLoops(count: 2) { loops in
      let source = try Pair.Source(.loopback(), on: loops.loops[0])
      defer { source.close() }
      try await withThrowingTaskGroup(of: String.self) { group in
        for (name, options) in options {
          let pair = try await source.next(options: options)
          group.addTask {
            defer { pair.abort() }
            if name == "user timeout" {
              try await cut(loops)
              try await pair.ours.send("into the void")
            }
            return try await "\(name): \(error { _ = try await pair.ours.read() })"
          }
        }
        SocketExercise.say("ready")
        for try await line in group { SocketExercise.say(line) }
      }
      for address in ["127.0.0.1:9", "192.0.2.1:9", "[::1]:9"] {
        let (address, deadline) = (try SocketAddress(address), Deadline.after(.seconds(1)))
        let error = try await error { try await Connection.connect(to: address, deadline: deadline).close() }
        SocketExercise.say("\(error)")
      }
    }
  }

  private static var options: [(String, ConnectionOptions)] {
    var userTimeout = ConnectionOptions()
    userTimeout.socketOptions = [.userTimeout(.seconds(1))]
    var keepAlive = ConnectionOptions()
    keepAlive.socketOptions = [.keepAlive(idle: .seconds(1), interval: .seconds(1), count: 1)]
    var idle = ConnectionOptions()
    idle.limits.idle = .seconds(1)
    return [("user timeout", userTimeout), ("keep-alive", keepAlive), ("idle limit", idle)]
  }

  /// Returns when the network is gone, which takes the address of IPv6 with it.
  private static func cut(_ loops: EventLoopGroup) async throws {
    while true {
      do {
        try await Connection.connect(to: .loopback6(port: 9)).close()
      } catch SocketError.failed(let errno, _, _) where errno.name == "EADDRNOTAVAIL" {
        return
      } catch is SocketError {
        try await loops.loops[0].sleep(for: .milliseconds(1))
      }
    }
  }

  private static func error(of body: () async throws -> Void) async throws -> SocketError {
    do { try await body() } catch let error as SocketError { return error }
    throw Failure("there was no error")
  }
}
