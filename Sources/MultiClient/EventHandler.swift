public import AsyncSockets
public import Framing

/// What a client runs that has `events`: `EventHandler`, and nothing else.
public protocol EventfulHandler: ConnectionHandler {}

/// The handler that turns callbacks into events; see `ClientEvents`. Only a client of events makes one.
public struct EventHandler<Codec: Framing>: EventfulHandler {
  private let id: ConnectionID
  private let target: Target
  private let inbox: EventInbox<Codec>
  /// While it is connected: it leads back here.
  private var me: HandlerReference<EventHandler>?
  private var eventsWaiting = 0

  init(_ id: ConnectionID, _ target: Target, _ inbox: EventInbox<Codec>) {
    self.id = id
    self.target = target
    self.inbox = inbox
  }

  /// Tells the event, and reads no more until it is taken.
  private mutating func tell(_ event: ClientEvent<Codec>, _ context: borrowing HandlerContext<Codec>) {
    eventsWaiting += 1
    context.isReading = false
    inbox.mailbox.post(EventInbox.Item(event: event, connection: me))
  }

  mutating func eventWasTaken(_ context: borrowing HandlerContext<Codec>) {
    eventsWaiting -= 1
    if eventsWaiting == 0 { context.isReading = true }
  }

  /// Tells `ClientEvent.connected`.
  public mutating func connected(_ context: borrowing HandlerContext<Codec>) {
    me = context.reference(to: self)
    tell(.connected(id, target), context)
  }

  /// Tells `ClientEvent.received`.
  public mutating func received(
    _ frame: Codec.Decoder.Frame, _ context: borrowing HandlerContext<Codec>
  ) {
    tell(.received(id, frame), context)
  }

  /// Tells `ClientEvent.writable`.
  public mutating func writable(_ context: borrowing HandlerContext<Codec>) {
    tell(.writable(id), context)
  }

  /// Nothing: the outcome tells it.
  public mutating func closed(_ reason: CloseReason) { me = nil }
}
