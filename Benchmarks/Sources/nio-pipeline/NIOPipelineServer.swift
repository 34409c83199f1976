import NIOCore
import NIOExtras
import NIOPosix
import ServerArguments

/// SwiftNIO with channel handlers, after `NIOEchoServer` of its own repository.
@main
struct NIOPipelineServer {
  static func main() async throws {
    let arguments = ServerArguments()
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let room = Room()
    let server = try await ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: arguments.mode == .sink)
      .childChannelOption(.maxMessagesPerRead, value: 16)
      .childChannelOption(.recvAllocator, value: AdaptiveRecvByteBufferAllocator())
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          try pipeline.addHandler(BackPressureHandler())
          switch arguments.mode {
          case .chunk:
            try pipeline.addHandler(EchoHandler())
          case .chunkDeadline, .chunkTwoLoops, .chunkReusePort, .lineLimits:
            fatalError("no mode of this server")
          case .line:
            try pipeline.addHandler(ByteToMessageHandler(LineBasedFrameDecoder()))
            try pipeline.addHandler(StringLineHandler())
          case .lineBytes:
            try pipeline.addHandler(ByteToMessageHandler(LineBasedFrameDecoder()))
            try pipeline.addHandler(ByteLineHandler())
          case .block:
            try pipeline.addHandler(
              ByteToMessageHandler(LengthFieldBasedFrameDecoder(lengthFieldLength: .four)))
            try pipeline.addHandler(LengthFieldPrepender(lengthFieldLength: .four))
            try pipeline.addHandler(EchoHandler())
          case .fanout:
            try pipeline.addHandler(ByteToMessageHandler(LineBasedFrameDecoder()))
            try pipeline.addHandler(ChatHandler(room: room))
          case .sink:
            try pipeline.addHandler(SinkHandler())
          }
        }
      }
      .bind(host: "127.0.0.1", port: arguments.port)
      .get()
    arguments.announce(port: server.localAddress?.port ?? 0)
    try await server.closeFuture.get()
  }
}

final class EchoHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    context.write(data, promise: nil)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    context.flush()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}

final class StringLineHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let line = String(buffer: self.unwrapInboundIn(data))
    var reply = context.channel.allocator.buffer(capacity: line.utf8.count + 1)
    reply.writeString(line)
    reply.writeInteger(UInt8(ascii: "\n"))
    context.write(self.wrapOutboundOut(reply), promise: nil)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    context.flush()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}

final class ByteLineHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var line = self.unwrapInboundIn(data)
    line.writeInteger(UInt8(ascii: "\n"))
    context.write(self.wrapOutboundOut(line), promise: nil)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    context.flush()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}

final class SinkHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private var total = 0

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    self.total += self.unwrapInboundIn(data).readableBytes
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard case .some(.inputClosed) = event as? ChannelEvent else {
      return context.fireUserInboundEventTriggered(event)
    }
    let answer = context.channel.allocator.buffer(string: "\(self.total)\n")
    context.writeAndFlush(self.wrapOutboundOut(answer), promise: nil)
    context.close(promise: nil)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}
