import NIOCore

/// A chat without names, after `NIOChatServer` of SwiftNIO's repository; without its lock, since there is one event loop.
final class ChatHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let room: Room
  private var hasSpoken = false

  init(room: Room) { self.room = room }

  func channelActive(context: ChannelHandlerContext) {
    self.room.members[ObjectIdentifier(self)] = context
    let welcome = context.channel.allocator.buffer(string: "welcome\n")
    context.writeAndFlush(self.wrapOutboundOut(welcome), promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.room.members[ObjectIdentifier(self)] = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var line = self.unwrapInboundIn(data)
    line.writeInteger(UInt8(ascii: "\n"))
    for member in self.room.members.values {
      member.write(self.wrapOutboundOut(line), promise: nil)
    }
    self.hasSpoken = true
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    guard self.hasSpoken else { return }
    self.hasSpoken = false
    for member in self.room.members.values {
      member.flush()
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}

/// Those who chat; used on the event loop alone.
final class Room: @unchecked Sendable {
  var members: [ObjectIdentifier: ChannelHandlerContext] = [:]
}
