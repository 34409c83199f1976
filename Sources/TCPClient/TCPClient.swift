@_exported public import AsyncSockets
@_exported public import Framing

/// A client that stays connected: it enters a closure with each connection, and connects again when that has ended.
///
/// ```swift
/// let client = TCPClient(to: "feed.example", port: 7000)
/// try await client.run(framing: .lines) { connection in
///   try await connection.send("SUBSCRIBE news")
///   for try await line in connection.inbound { print(line) }
/// }
/// ```
///
/// Between two attempts it pauses as its `ReconnectPolicy` says. It ends when its task is cancelled, when an error comes that
/// trying again would not help, or when the closure says so. For one conversation there is
/// ``withConnection(to:port:framing:configuration:_:)``.
public final class TCPClient: Sendable {
  /// The values it was made with.
  public let configuration: Configuration

  let environment: Environment
  let board = StateBoard()
  let state: Lock<RunState>

  /// A client of one server.
  ///
  /// Nothing is opened yet, and nothing looked up; a value that cannot work is thrown by `run`.
  ///
  /// - Parameters:
  ///   - host: a name or a numeric address, looked up anew for every attempt.
  ///   - port: from 1 to 65535.
  ///   - configuration: time-outs, limits, pauses and the event hook; every value has a default.
  ///   - environment: the event loops and the resolver; the current task's by default.
  public convenience init(
    to host: String, port: UInt16, configuration: Configuration = Configuration(),
    environment: Environment = .current
  ) {
    self.init(to: [.host(host, port: port)], configuration: configuration, environment: environment)
  }

  /// A client of the server at an address; see `init(to:port:configuration:environment:)`.
  public convenience init(
    to address: SocketAddress, configuration: Configuration = Configuration(),
    environment: Environment = .current
  ) {
    self.init(to: [.address(address)], configuration: configuration, environment: environment)
  }

  /// A client of any one of several servers.
  ///
  /// It tries them in turn, with a pause before each attempt; one whose connection proved healthy is tried first when that
  /// has ended.
  ///
  /// - Parameter targets: at least one.
  public init(
    to targets: [Target], configuration: Configuration = Configuration(),
    environment: Environment = .current
  ) {
    self.configuration = configuration
    self.environment = environment
    state = Lock(RunState(targets: targets))
  }

  /// To whom it connects, in turn.
  public var targets: [Target] { state.withLock { $0.rotation.targets } }
}
