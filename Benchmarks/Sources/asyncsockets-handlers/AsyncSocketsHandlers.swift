import ServerArguments
import TCPServer

struct Echo<Codec: Framing>: ConnectionHandler
where Codec.Decoder.Frame == Codec.Encoder.Frame {
  mutating func received(_ frame: Codec.Decoder.Frame, _ context: borrowing HandlerContext<Codec>) throws {
    try context.send(frame)
  }
}

struct EchoBytes: ByteHandler {
  func received(_ bytes: RawSpan, _ context: borrowing HandlerContext<RawFraming>) throws {
    try context.send(bytes)
  }
}

/// This library as it is shipped, with synchronous handlers instead of tasks.
@main
struct AsyncSocketsHandlers {
  static func main() async throws {
    let arguments = ServerArguments()
    let server = try await TCPServer.bind(
      on: .loopback(port: UInt16(arguments.port)),
      environment: Environment(loops: EventLoopGroup(count: 1)))
    arguments.announce(port: Int(server.address.port ?? 0))

    switch arguments.mode {
    case .chunk: try await server.run(handledBy: EchoBytes(), framing: .raw)
    case .line: try await server.run(handledBy: Echo<LineFraming>(), framing: .lines)
    case .lineBytes: try await server.run(handledBy: Echo<LineBytesFraming>(), framing: LineFraming().bytes)
    case .block:
      try await server.run(handledBy: Echo<LengthPrefixFraming>(), framing: LengthPrefixFraming(.uint32))
    case .fanout: try await server.run(handledBy: Chatter(room: Broadcast(.lines)), framing: .lines)
    case .chunkDeadline, .chunkTwoLoops, .chunkReusePort, .lineLimits, .sink:
      fatalError("has no handler for \(arguments.mode)")
    }
  }
}
