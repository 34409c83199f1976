import AsyncSockets
import ClientArguments
import Glibc

/// `load` as a program of this library: it takes the same options, does the same job in the modes `chunk`, `rate` and
/// `hold`, and prints the same report. `--with` says by which of the library's interfaces, if not by tasks.
@main
struct AsyncSocketsClient {
  static func main() async throws {
    let options = try ClientOptions()
    let loop = try EventLoop()
    try await withTaskExecutorPreference(loop.executor) {
      switch options.mode {
      case .rate: try await ConnectRate.run(options, on: loop)
      case .chunk: try await exchange(options, on: loop)
      case .hold: try await hold(options, on: loop)
      }
    }
  }

  private static func fleet(_ options: ClientOptions, on loop: EventLoop) throws -> any Fleet {
    let environment = Environment(loops: try EventLoopGroup([loop]))
    switch options.interface {
    case nil: return TaskFleet(options, environment)
    case "handlers": return HandlerFleet(options, environment)
    case "multi": return try MultiFleet(options, environment)
    case let other?: throw ClientError("--with takes handlers or multi, not '\(other)'")
    }
  }

  /// Messages there and back on all connections, again and again.
  private static func exchange(_ options: ClientOptions, on loop: EventLoop) async throws {
    let fleet = try fleet(options, on: loop)
    try await fleet.open()

    /// The figures are of the time until the round is stopped, and the last replies come after it.
    func timed(_ seconds: Double) async throws -> String {
      let round = Round(clients: options.connections)
      let (usage, began) = (Usage.now, loop.now)
      async let end: Void = fleet.exchange(round)
      try await loop.sleep(for: .seconds(seconds))
      let (after, count, elapsed) = (Usage.now, round.replies, began.duration(to: loop.now))
      round.stop()
      try await end
      return after.report(since: usage, count: count, seconds: elapsed / .seconds(1))
    }

    _ = try await timed(options.warmUp)
    guard options.messages > 0 else {
      options.say(try await timed(options.seconds))
      leave(fleet)
    }
    options.say("READY")
    guard readLine() != nil else { return }
    let round = Round(clients: options.connections, messages: options.messages)
    let (usage, began) = (Usage.now, loop.now)
    try await fleet.exchange(round)
    let elapsed = began.duration(to: MonotonicClock.shared.now)
    options.say(Usage.now.report(since: usage, count: round.replies, seconds: elapsed / .seconds(1)))
    _ = readLine()
    leave(fleet)
  }

  /// While everybody is still connected: whose connection ends before has failed.
  private static func leave(_ fleet: any Fleet) -> Never {
    withExtendedLifetime(fleet) { exit(0) }
  }

  /// Connections that wait for input, for somebody to look at this process's memory.
  private static func hold(_ options: ClientOptions, on loop: EventLoop) async throws {
    let fleet = try fleet(options, on: loop)
    options.say("READY")
    guard readLine() != nil else { return }
    try await fleet.open()
    async let _: Void = fleet.wait()
    try await loop.sleep(for: .milliseconds(100))
    options.say("READY")
    _ = readLine()  // which stops the loop: nothing comes any more
    exit(0)
  }
}
