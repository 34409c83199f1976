import ClientArguments
import Glibc
import NIOCore
import NIOPosix

/// `load` with SwiftNIO, in the modes `chunk` and `hold`: a channel handler for each connection, after `NIOEchoClient` of
/// its own repository. It takes the same options, and prints the same report.
@main
struct NIOClient {
  static func main() async throws {
    let options = try ClientOptions()
    let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
    let fleet = Fleet(options, on: loop)
    if options.mode == .hold {
      waitForWord(options)
      try await fleet.open()
      waitForWord(options)
      return
    }
    try await fleet.open()
    _ = try await timed(options.warmUp, fleet)
    guard options.messages > 0 else { return options.say(try await timed(options.seconds, fleet)) }

    waitForWord(options)
    let (usage, began) = (Usage.now, NIODeadline.now())
    let replies = try await fleet.exchange(messages: options.messages)
    options.say(Usage.now.report(since: usage, count: replies, seconds: seconds(since: began)))
    _ = readLine()
  }

  /// The figures are of the time until the round is stopped, and the last replies come after it.
  private static func timed(_ time: Double, _ fleet: Fleet) async throws -> String {
    let (usage, began) = (Usage.now, NIODeadline.now())
    async let end = fleet.exchange(messages: .max)
    try await Task.sleep(for: .seconds(time))
    let (after, replies) = try await fleet.stop { (Usage.now, $0) }
    let report = after.report(since: usage, count: replies, seconds: seconds(since: began))
    _ = try await end
    return report
  }

  private static func seconds(since began: NIODeadline) -> Double {
    Double((NIODeadline.now() - began).nanoseconds) / 1e9
  }

  private static func waitForWord(_ options: ClientOptions) {
    options.say("READY")
    if readLine() == nil { exit(0) }
  }
}

/// All clients of one event loop, and the messages that are to be sent and answered.
final class Fleet: @unchecked Sendable {  // used on the event loop alone
  let message: ByteBuffer
  private let options: ClientOptions
  private let loop: any EventLoop
  private var clients: [AskingHandler] = []
  private var left = 0
  private var replies = 0
  private var resting = 0
  private var end: EventLoopPromise<Int>?

  init(_ options: ClientOptions, on loop: any EventLoop) {
    self.options = options
    self.loop = loop
    message = ByteBuffer(bytes: options.message)
  }

  /// Few at a time, so that no listener's queue overflows, each with an echo.
  func open() async throws {
    let bootstrap = ClientBootstrap(group: self.loop)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let client = AskingHandler(self)
          self.clients.append(client)
          try channel.pipeline.syncOperations.addHandler(client)
        }
      }
    let (loop, port) = (self.loop, Int(self.options.port))
    let opened = loop.makePromise(of: Int.self)
    loop.execute { self.end = opened }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<self.options.connections {
        if number >= 64 { try await group.next() }
        let channel = bootstrap.connect(host: "127.0.0.1", port: port)
        group.addTask { _ = try await channel.get() }
      }
      try await group.waitForAll()
    }
    _ = try await opened.futureResult.get()
  }

  /// Returns how many were answered when all rest.
  func exchange(messages: Int) async throws -> Int {
    let end = self.loop.makePromise(of: Int.self)
    self.loop.execute {
      self.left = messages
      self.replies = 0
      self.resting = 0
      self.end = end
      for client in self.clients { client.goOn() }
    }
    return try await end.futureResult.get()
  }

  func stop<Value: Sendable>(_ body: @escaping @Sendable (Int) -> Value) async throws -> Value {
    try await self.loop.submit {
      self.left = 0
      return body(self.replies)
    }.get()
  }

  /// Whether a client may send another message; if not, it rests.
  func takeMessage() -> Bool {
    if self.left > 0 {
      self.left -= 1
      return true
    }
    self.resting += 1
    if self.resting == self.options.connections { self.end?.succeed(self.replies) }
    return false
  }

  func countReply() { self.replies += 1 }
}

final class AskingHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let fleet: Fleet
  private var context: ChannelHandlerContext?
  /// What has not come back yet.
  private var expected: ByteBuffer

  init(_ fleet: Fleet) {
    self.fleet = fleet
    self.expected = fleet.message
  }

  func channelActive(context: ChannelHandlerContext) {
    self.context = context
    self.ask(context)
  }

  func goOn() {
    if let context = self.context, self.fleet.takeMessage() { self.ask(context) }
  }

  private func ask(_ context: ChannelHandlerContext) {
    context.writeAndFlush(self.wrapOutboundOut(self.fleet.message), promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = self.unwrapInboundIn(data)
    guard self.expected.readSlice(length: bytes.readableBytes) == bytes else {
      return self.errorCaught(
        context: context, error: ClientError("what came back differs from what was sent"))
    }
    guard self.expected.readableBytes == 0 else { return }
    self.expected = self.fleet.message
    self.fleet.countReply()
    if self.fleet.takeMessage() { self.ask(context) }
  }

  func channelInactive(context: ChannelHandlerContext) {
    fatalError("the server closed a connection")
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    fatalError("\(error)")
  }
}
