import ServerArguments
import TCPServer

struct Echo<Codec: Framing>: ConnectionHandler
where Codec.Decoder.Frame == Codec.Encoder.Frame {
  mutating func received(_ frame: Codec.Decoder.Frame, _ context: borrowing HandlerContext<Codec>) throws {
    try context.send(frame)
  }
}

struct EchoBytes: ConnectionHandler {
  mutating func received(_ bytes: [UInt8], _ context: borrowing HandlerContext<RawFraming>) throws {
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
    case .chunk, .chunkDeadline:
      try await server.run { _ = try await $0.run(EchoBytes(), framing: RawFraming()) }
    case .line:
      try await server.run { _ = try await $0.run(Echo<LineFraming>(), framing: LineFraming()) }
    case .lineBytes:
      try await server.run { _ = try await $0.run(Echo<LineBytesFraming>(), framing: LineFraming().bytes) }
    case .block:
      try await server.run {
        _ = try await $0.run(Echo<LengthPrefixFraming>(), framing: LengthPrefixFraming(.uint32))
      }
    case .sink: break
    }
  }
}
