import AsyncSockets
import Framing

/// Where the events of a client wait to be taken.
final class EventInbox<Codec: Framing>: Inbox {
  typealias Element = MultiClient<EventHandler<Codec>>.Outcome

  struct Item: Sendable {
    let event: ClientEvent<Codec>
    /// The connection that is not read until the event is taken.
    let connection: HandlerReference<EventHandler<Codec>>?
  }

  let mailbox: Mailbox<Item>

  init(capacity: Int) {
    mailbox = Mailbox(capacity: capacity) { item in
      item.connection?.perform { handler, context in handler.eventWasTaken(context) }
    }
  }

  func enter() { mailbox.enter() }

  func leave() { mailbox.leave() }

  func close() { mailbox.close() }

  func post(_ outcome: Element) { mailbox.post(Item(event: .ended(outcome), connection: nil)) }

  func hasRoom(_ goOn: @escaping @Sendable () -> Void) -> Bool { mailbox.hasRoom(goOn) }
}
