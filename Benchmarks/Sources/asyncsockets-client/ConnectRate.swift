import AsyncSockets
import ClientArguments
import Synchronization

/// `load --mode rate`: connect, echo one message, end the output, wait for the server's end, close; so many at a time.
enum ConnectRate {
  static func run(_ options: ClientOptions, on loop: EventLoop) async throws {
    let warmUp = loop.now.advanced(by: .seconds(options.warmUp))
    _ = try await connections(of: options, on: loop) { _ in MonotonicClock.shared.now < warmUp }

    if options.messages > 0 {
      options.say("READY")
      guard readLine() != nil else { return }
    }
    let (usage, began) = (Usage.now, MonotonicClock.shared.now)
    let end = began.advanced(by: .seconds(options.seconds))
    let count = try await connections(of: options, on: loop) { number in
      options.messages > 0 ? number < options.messages : MonotonicClock.shared.now < end
    }
    let seconds = began.duration(to: MonotonicClock.shared.now) / .seconds(1)
    options.say(Usage.now.report(since: usage, count: count, seconds: seconds))
    if options.messages > 0 { _ = readLine() }
  }

  /// Opens connections until one does not come on, and answers how many there were.
  private static func connections(
    of options: ClientOptions, on loop: EventLoop, while goesOn: @escaping @Sendable (Int) -> Bool
  ) async throws -> Int {
    let progress = Progress()
    // Each closed connection keeps its local port for a minute, and each address has 28,000 of them.
    let sources = try (2..<102).map { try SocketAddress("127.0.0.\($0):0") }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<options.connections {
        group.addTask(executorPreference: loop.executor) {
          var connector = Connector(environment: Environment(loops: try EventLoopGroup([loop])))
          while true {
            let number = progress.begun.wrappingAdd(1, ordering: .relaxed).oldValue
            guard goesOn(number) else { return }
            connector.localAddress = sources[number % sources.count]
            try await connector.withConnection(to: .loopback(port: options.port)) { connection in
              try await connection.send(options.message)
              guard try await connection.read(exactly: options.size) == options.message else {
                throw ClientError("what came back differs from what was sent")
              }
              try await connection.finishWriting()
              guard try await connection.read() == nil else {
                throw ClientError("more came back than was sent")
              }
            }
            progress.done.wrappingAdd(1, ordering: .relaxed)
          }
        }
      }
      try await group.waitForAll()
    }
    return progress.done.load(ordering: .relaxed)
  }
}

/// Connections begun and done.
private final class Progress: Sendable {
  let begun = Atomic(0)
  let done = Atomic(0)
}
