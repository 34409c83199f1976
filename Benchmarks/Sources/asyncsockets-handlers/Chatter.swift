import Synchronization
import TCPServer

/// A chat without names.
struct Chatter: ConnectionHandler {
  let room: Room
  private var me: HandlerReference<Chatter>?

  init(room: Room) { self.room = room }

  mutating func connected(_ context: borrowing HandlerContext<LineFraming>) throws {
    let me = context.reference(to: self)
    room.members.withLock { _ = $0.insert(me) }
    self.me = me
    try context.send("welcome")
  }

  mutating func received(_ line: String, _ context: borrowing HandlerContext<LineFraming>) throws {
    for member in room.members.withLock({ $0 }) {
      member.perform { _, context in try context.send(line) }
    }
  }

  mutating func closed(_ reason: CloseReason) {
    if let me { room.members.withLock { _ = $0.remove(me) } }
    me = nil
  }
}

/// Those who chat.
final class Room: Sendable {
  let members = Mutex<Set<HandlerReference<Chatter>>>([])
}
