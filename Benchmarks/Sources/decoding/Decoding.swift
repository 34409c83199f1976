import Framing
import NIOCore
import NIOEmbedded
import NIOExtras

/// How fast a codec is by itself, without sockets: `decoding LIBRARY CODEC CHUNK SECONDS`.
///
/// A chunk is what one read would have brought, in the form in which the library's own read path hands it on: here
/// the bytes are copied into the connection's receive buffer, SwiftNIO allocates a `ByteBuffer` for each read.
@main
struct Decoding {
  /// One entry for each codec of each library.
  static let codecs: [String: @Sendable (inout Run) throws -> Void] = [
    "asyncsockets lines": { try $0.decode(.line, with: LineFraming()) { $0.utf8.count } },
    "asyncsockets lineBytes": { try $0.decode(.line, with: LineFraming().bytes) { $0.count } },
    "asyncsockets lengthPrefix": { try $0.decode(.block, with: LengthPrefixFraming(.uint32)) { $0.count } },
    "nio lines": { try $0.decode(.line, with: LineBasedFrameDecoder()) { String(buffer: $0).utf8.count } },
    "nio lineBytes": { try $0.decode(.line, with: LineBasedFrameDecoder()) { $0.readableBytes } },
    "nio lengthPrefix": {
      try $0.decodeInPipeline(.block, with: LengthFieldBasedFrameDecoder(lengthFieldLength: .four)) {
        $0.readableBytes
      }
    },
  ]

  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 5, let codec = codecs["\(arguments[1]) \(arguments[2])"],
      let chunk = Int(arguments[3]), chunk > 0, let seconds = Double(arguments[4])
    else {
      print("usage: \(arguments[0]) LIBRARY CODEC CHUNK SECONDS, where LIBRARY CODEC is one of")
      print(codecs.keys.sorted().joined(separator: "\n"))
      return
    }
    var run = Run(chunk: chunk, seconds: seconds)
    try codec(&run)
    print(run.report)
  }
}

extension Run {
  /// Decodes with a codec of this library.
  mutating func decode<F: Framing>(
    _ message: Message, with framing: F, size: (F.Decoder.Frame) -> Int
  ) throws {
    var decoder = framing.makeDecoder()
    var buffer = ReceiveBuffer()
    try repeatPasses(of: message) { chunks, tally in
      for chunk in chunks {
        buffer.append(contentsOf: chunk)
        while let frame = try decoder.decode(&buffer) {
          tally.add(size(frame))
        }
      }
    }
  }

  /// Decodes with a codec for SwiftNIO, through the processor that it has for use without a channel.
  mutating func decode<D: NIOSingleStepByteToMessageDecoder>(
    _ message: Message, with decoder: D, size: (D.InboundOut) -> Int
  ) throws {
    let processor = NIOSingleStepByteToMessageProcessor(decoder)
    let allocator = ByteBufferAllocator()
    try repeatPasses(of: message) { chunks, tally in
      for chunk in chunks {
        try processor.process(buffer: allocator.buffer(bytes: chunk)) { tally.add(size($0)) }
      }
    }
  }

  /// Decodes with a codec for SwiftNIO that needs a channel: in the one that it has for use without sockets.
  mutating func decodeInPipeline<D: ByteToMessageDecoder>(
    _ message: Message, with decoder: D, size: @escaping (D.InboundOut) -> Int
  ) throws {
    let channel = EmbeddedChannel()
    let counter = CountingHandler(size: size)
    try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(decoder))
    try channel.pipeline.syncOperations.addHandler(counter)
    try repeatPasses(of: message) { chunks, tally in
      for chunk in chunks {
        channel.pipeline.fireChannelRead(channel.allocator.buffer(bytes: chunk))
      }
      tally.add(counter.take())
    }
  }
}

/// Counts what a pipeline decodes, and passes nothing on.
final class CountingHandler<Message>: ChannelInboundHandler {
  typealias InboundIn = Message

  private let size: (Message) -> Int
  private var tally = Run.Tally()

  init(size: @escaping (Message) -> Int) { self.size = size }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    tally.add(size(Self.unwrapInboundIn(data)))
  }

  func take() -> Run.Tally {
    defer { tally = Run.Tally() }
    return tally
  }
}
