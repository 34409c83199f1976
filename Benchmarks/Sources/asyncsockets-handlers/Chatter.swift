import TCPServer

/// A chat without names.
struct Chatter: ConnectionHandler {
  let room: Broadcast<LineFraming>

  func connected(_ context: borrowing HandlerContext<LineFraming>) throws {
    room.join(context)
    try context.send("welcome")
  }

  func received(_ line: String, _ context: borrowing HandlerContext<LineFraming>) throws {
    try room.offer(line)
  }
}
