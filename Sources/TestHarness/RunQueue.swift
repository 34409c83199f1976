import AsyncSockets
import TCPServer

/// The servers that take over from one another on a test server's port, on their way to the task that runs them.
final class RunQueue: Sendable {
  private struct State {
    var waiting: [TCPServer] = []
    var running: [TCPServer] = []
    var isOver = false
    var news = Latch()
  }

  private let state = Lock(State())

  /// - Returns: `false` when nobody would run it any more.
  func add(_ server: TCPServer) -> Bool {
    let news = state.withLock { state -> Latch? in
      if state.isOver { return nil }
      state.waiting.append(server)
      defer { state.news = Latch() }
      return state.news
    }
    news?.open()
    return news != nil
  }

  /// The next server to run; `nil` at the end, which a cancellation is too.
  func next(on loop: EventLoop) async -> TCPServer? {
    while true {
      let (server, news) = state.withLock { state -> (TCPServer?, Latch?) in
        if !state.waiting.isEmpty {
          let server = state.waiting.removeFirst()
          state.running.append(server)
          return (server, nil)
        }
        if Task.isCancelled { state.isOver = true }
        return (nil, state.isOver ? nil : state.news)
      }
      guard let news else { return server }
      _ = await news.wait(on: loop)
    }
  }

  func remove(_ server: TCPServer) {
    state.withLock { $0.running.removeAll { $0 === server } }
  }

  /// Those that have not come to their end.
  var unfinished: [TCPServer] { state.withLock { $0.running + $0.waiting } }

  func finish() {
    let news = state.withLock { state in
      state.isOver = true
      return state.news
    }
    news.open()
  }
}
