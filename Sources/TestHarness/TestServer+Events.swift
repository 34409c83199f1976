public import AsyncSockets
import Framing

extension TestServer {
  /// Something that happened at a test server.
  public enum Event: Sendable {
    /// It listens; also after `resume()` and `restart()`.
    case listening([SocketAddress])
    /// A client was accepted.
    case connected(ClientInfo)
    /// A client's frame was read by whoever serves it.
    case input(ClientInfo, InboundFrame)
    /// A send has reached the kernel whole: once for each send, be it one frame or many.
    case flushed(ClientInfo)
    /// A client's connection is over; the info says why, and has the same addresses as ever.
    case disconnected(ClientInfo)
    /// A listener failed; `restart()` listens anew.
    case listenerFailed(SocketError)
    /// So many events were dropped before this observer came to read them.
    case missed(Int)
  }

  /// What happens at a server, from its beginning on.
  ///
  /// The server keeps its last events, which came with at most 4 MiB of input, once for all observers, and never waits
  /// for any of them. An observer that falls further behind gets ``Event/missed(_:)`` and goes on with the oldest that is
  /// left. The sequence ends with the server, and when the observer's task is cancelled.
  public struct Events: AsyncSequence, Sendable {
    /// An event.
    public typealias Element = Event

    let log: EventLog<Event>

    /// An observer of its own, which starts at the server's beginning.
    public func makeAsyncIterator() -> Iterator { Iterator(log: log) }

    /// Reads one event at a time.
    public struct Iterator: AsyncIteratorProtocol {
      let log: EventLog<Event>
      private var position = 0

      init(log: EventLog<Event>) { self.log = log }

      /// The next event; `nil` at the end.
      public mutating func next(isolation actor: isolated (any Actor)? = #isolation) async -> Event? {
        while true {
          switch log.next(&position) {
          case .event(let event): return event
          case .missed(let count): return .missed(count)
          case .end: return nil
          case .nothing(let news):
            if case .cancelled = await news.wait(on: log.loop) { return nil }
          }
        }
      }
    }
  }

  /// What happens at the server, from its beginning on, for an observer of its own.
  public var events: Events { Events(log: log) }
}

/// Keeps events and wakes who waits for them.
final class EventLog<Event: Sendable>: Sendable {
  enum Step {
    case event(Event)
    case missed(Int)
    case nothing(Latch)
    case end
  }

  private struct State {
    var history: EventHistory<Event>
    var news = Latch()
  }

  let loop: EventLoop
  private let state: Lock<State>

  init(on loop: EventLoop, limit: Int = 4 << 20) {
    self.loop = loop
    state = Lock(State(history: EventHistory(limit: limit)))
  }

  func append(_ event: Event, bytes: Int = 0) {
    change { $0.append(event, cost: 256 + bytes) }
  }

  func finish() { change { $0.finish() } }

  private func change(_ body: (inout EventHistory<Event>) -> Void) {
    let news = state.withLock { state in
      body(&state.history)
      defer { state.news = Latch() }
      return state.news
    }
    news.open()
  }

  func next(_ position: inout Int) -> Step {
    state.withLock { state in
      switch state.history.next(&position) {
      case .event(let event): .event(event)
      case .missed(let count): .missed(count)
      case .nothing: .nothing(state.news)
      case .end: .end
      }
    }
  }
}
