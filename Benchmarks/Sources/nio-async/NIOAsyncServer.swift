import NIOCore
import NIOExtras
import NIOPosix
import ServerArguments

/// SwiftNIO with `NIOAsyncChannel`, after `NIOTCPEchoServer` of its own repository.
@main
struct NIOAsyncServer {
  static func main() async throws {
    let arguments = ServerArguments()
    switch arguments.mode {
    case .chunk:
      try await serve(arguments, of: ByteBuffer.self, configure: { _ in }) { inbound, outbound in
        for try await chunk in inbound {
          try await outbound.write(chunk)
        }
      }
    case .chunkDeadline, .chunkTwoLoops, .chunkReusePort, .lineLimits, .fanout:
      fatalError("no mode of this server")
    case .line:
      try await serve(arguments, of: String.self) { pipeline in
        try pipeline.addHandler(ByteToMessageHandler(StringLineDecoder()))
        try pipeline.addHandler(MessageToByteHandler(StringLineEncoder()))
      } body: { inbound, outbound in
        for try await line in inbound {
          try await outbound.write(line)
        }
      }
    case .lineBytes:
      try await serve(arguments, of: ByteBuffer.self) { pipeline in
        try pipeline.addHandler(ByteToMessageHandler(LineBasedFrameDecoder()))
        try pipeline.addHandler(MessageToByteHandler(ByteLineEncoder()))
      } body: { inbound, outbound in
        for try await line in inbound {
          try await outbound.write(line)
        }
      }
    case .block:
      try await serve(arguments, of: ByteBuffer.self) { pipeline in
        try pipeline.addHandler(ByteToMessageHandler(LengthFieldBasedFrameDecoder(lengthFieldLength: .four)))
        try pipeline.addHandler(LengthFieldPrepender(lengthFieldLength: .four))
      } body: { inbound, outbound in
        for try await block in inbound {
          try await outbound.write(block)
        }
      }
    case .sink:
      try await serve(arguments, of: ByteBuffer.self, configure: { _ in }) { inbound, outbound in
        var total = 0
        for try await chunk in inbound {
          total += chunk.readableBytes
        }
        try await outbound.write(ByteBuffer(string: "\(total)\n"))
      }
    }
  }

  static func serve<Message: Sendable>(
    _ arguments: ServerArguments,
    of type: Message.Type,
    configure: @escaping @Sendable (ChannelPipeline.SynchronousOperations) throws -> Void,
    body:
      @escaping @Sendable (
        NIOAsyncChannelInboundStream<Message>, NIOAsyncChannelOutboundWriter<Message>
      ) async throws -> Void
  ) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let server = try await ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: arguments.mode == .sink)
      .bind(host: "127.0.0.1", port: arguments.port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try configure(channel.pipeline.syncOperations)
          return try NIOAsyncChannel(
            wrappingChannelSynchronously: channel,
            configuration: NIOAsyncChannel.Configuration(
              inboundType: Message.self,
              outboundType: Message.self))
        }
      }
    arguments.announce(port: server.channel.localAddress?.port ?? 0)

    try await withThrowingDiscardingTaskGroup { group in
      try await server.executeThenClose { connections in
        for try await connection in connections {
          group.addTask {
            // An error ends its own connection only.
            try? await connection.executeThenClose(body)
          }
        }
      }
    }
  }
}

/// nio-extras' line decoder, with `String` frames.
struct StringLineDecoder: ByteToMessageDecoder {
  typealias InboundOut = String

  private let lines = LineBasedFrameDecoder()

  mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
    guard let line = try self.lines.decode(buffer: &buffer) else { return .needMoreData }
    context.fireChannelRead(Self.wrapInboundOut(String(buffer: line)))
    return .continue
  }
}

struct StringLineEncoder: MessageToByteEncoder {
  typealias OutboundIn = String

  func encode(data: String, out: inout ByteBuffer) {
    out.writeString(data)
    out.writeInteger(UInt8(ascii: "\n"))
  }
}

struct ByteLineEncoder: MessageToByteEncoder {
  typealias OutboundIn = ByteBuffer

  func encode(data: ByteBuffer, out: inout ByteBuffer) {
    out.writeImmutableBuffer(data)
    out.writeInteger(UInt8(ascii: "\n"))
  }
}
