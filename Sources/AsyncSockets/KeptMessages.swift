/// The messages that are kept for one slow receiver, and are sent by a task, or by the driver of its connection.
final class KeptMessages: Sendable {
  private struct State {
    var backlog: MessageBacklog
    /// Opened, and replaced, when there is something to take.
    var change = Latch()
  }

  private let state: Lock<State>

  init(limit: Int) { state = Lock(State(backlog: MessageBacklog(limit: limit))) }

  /// Whether a new message has to queue behind one that is kept or was.
  ///
  /// - Throws: when the connection has ended.
  func isBusy() throws(SocketError) -> Bool {
    let (isBusy, isAbandoned) = state.withLock { ($0.backlog.isBusy, $0.backlog.isAbandoned) }
    if isAbandoned { throw .closed }
    return isBusy
  }

  /// Keeps a message; `isLossless` unless the oldest was dropped for it, `isFirst` if nobody knows yet that there is
  /// something to send.
  func add(_ message: [UInt8]) -> (isLossless: Bool, isFirst: Bool) {
    let (isLossless, isFirst, change) = state.withLock { state in
      let isFirst = !state.backlog.isBusy
      return (state.backlog.add(message), isFirst, state.change)
    }
    change.open()
    return (isLossless, isFirst)
  }

  /// The oldest message; `nil` when all have been taken.
  func next() -> [UInt8]? { state.withLock { $0.backlog.next() } }

  /// The connection has ended.
  func abandon() { state.withLock { $0.backlog.abandon() } }

  /// Hands over one message after the other, until the task is cancelled or `send` fails.
  func sendAll(on loop: EventLoop, _ send: (_ message: [UInt8]) async throws -> Void) async {
    while !CurrentTask.isCancelled {
      let (message, change) = state.withLock { state -> ([UInt8]?, Latch) in
        let message = state.backlog.next()
        if message == nil, state.change.isOpen { state.change = Latch() }
        return (message, state.change)
      }
      guard let message else {
        _ = await change.wait(on: loop)
        continue
      }
      do {
        try await send(message)
      } catch {
        return abandon()
      }
    }
  }
}
