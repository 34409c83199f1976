/// Where a client writes what it is doing, and its listeners read it: the last states, once for all of them.
final class StateBoard: Sendable {
  /// How far a listener has read: how many states of all, or to the end.
  enum Position {
    case after(Int)
    case end
  }

  private struct Page {
    /// The newest last.
    var states: [TCPClient.State] = [.idle]
    /// How many there have been.
    var count = 1
    var changed = Latch()
  }

  private static let kept = 16
  private let page = Lock(Page())

  var latest: TCPClient.State { page.withLock { $0.states[$0.states.count - 1] } }

  /// Where the next state is the present one.
  var now: Position { .after(page.withLock { $0.count } - 1) }

  func post(_ state: TCPClient.State) {
    let changed = page.withLock { page in
      if page.states.count == Self.kept { page.states.removeFirst() }
      page.states.append(state)
      page.count += 1
      defer { page.changed = Latch() }
      return page.changed
    }
    changed.open()
  }

  /// The next state for whoever has read so far; `nil` at the end, and when the task is cancelled.
  func next(after position: inout Position, on loop: EventLoop) async -> TCPClient.State? {
    while true {
      guard case .after(let read) = position else { return nil }
      let (state, count, changed) = page.withLock { page -> (TCPClient.State?, Int, Latch) in
        let unread = page.count - read
        if unread == 0 { return (nil, read, page.changed) }
        let skips = unread > page.states.count
        let index = page.states.count - (skips ? 1 : unread)
        return (page.states[index], skips ? page.count : read + 1, page.changed)
      }
      if let state {
        position = .after(count)
        if case .ended = state { position = .end }
        return state
      }
      if case .cancelled = await changed.wait(on: loop) { return nil }
    }
  }
}
